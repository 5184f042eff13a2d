"""Upstream: announces batches on the bus, several at once, and slips poison into the queues."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dev.chaos.environment import INBOUND

if TYPE_CHECKING:
    from random import Random
    from threading import Event

    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from dev.chaos.environment import World
    from dev.chaos.worker_threads import Crew
    from dev.chaos.workload import Announced, Plan, Planner

AT_ONCE = 8
BURST = 10
POISON_EVERY = 25  # bursts


@dataclass
class Upstream:
    """Announces what the planner plans; what is unfinished when the time is over is finished."""

    world: World
    planner: Planner
    random: Random
    crew: Crew
    rate: float  # events per second
    batches: int | None = None
    plans: list[Plan] = field(default_factory=list)
    poison: list[str] = field(default_factory=list)
    sent: int = 0
    _open: list[tuple[Plan, int]] = field(default_factory=list)
    _bursts: int = 0

    def __post_init__(self) -> None:
        self._events, self._sqs = self.world.events(), self.world.sqs()

    def run(self, time_is_over: Event, all_is_said: Event) -> None:
        """Send one burst, then wait as the rate demands."""
        burst = self._burst(begin_more=self._has_more(over=time_is_over.is_set()))
        if not burst:
            all_is_said.set()
            return
        self._announce(burst)
        self._bursts += 1
        if self._bursts % POISON_EVERY == 1:
            self._slip_poison_in()
        self.crew.pause(len(burst) / self.rate)

    def _has_more(self, *, over: bool) -> bool:
        """Tell whether another batch may begin: a number of them is announced whole, whatever the time."""
        return len(self.plans) < self.batches if self.batches is not None else not over

    def _burst(self, *, begin_more: bool) -> list[Announced]:
        """Take the next events of the open plans, at random among them."""
        burst: list[Announced] = []
        while len(burst) < BURST:
            while begin_more and len(self._open) < AT_ONCE and len(self.plans) != self.batches:
                plan = self.planner.next()
                self.plans.append(plan)
                self._open.append((plan, 0))
            if not self._open:
                break
            which = self.random.randrange(len(self._open))
            plan, at = self._open[which]
            burst.append(plan.events[at])
            if at + 1 < len(plan.events):
                self._open[which] = (plan, at + 1)
            else:
                self._open.pop(which)
        return burst

    def _announce(self, burst: list[Announced]) -> None:
        """Put the burst on the bus; again until the bus has it, as at-least-once demands."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": INBOUND,
                "Source": "chaos",
                "DetailType": event.detail_type,
                "Detail": event.detail,
            }
            for event in burst
        ]
        while not self.crew.is_over.is_set():
            try:
                self._events.put_events(Entries=entries)
            except (BotoCoreError, ClientError):
                self.crew.pause(0.5)
            else:
                self.sent += len(burst)
                return

    def _slip_poison_in(self) -> None:
        """Put one message that can never succeed beside the good ones."""
        mark = f"poison-{len(self.poison):03}"
        queue, body = self.random.choice(_poisons(mark))
        while not self.crew.is_over.is_set():
            try:
                self._sqs.send_message(QueueUrl=self.world.queues[queue].url, MessageBody=body)
            except (BotoCoreError, ClientError):
                self.crew.pause(0.5)
            else:
                self.poison.append(mark)
                return


def _poisons(mark: str) -> list[tuple[str, str]]:
    """Return one message per way of being wrong, each with the mark in its body."""
    metadata = {
        "event_id": "1d9f5f5e-0000-4000-8000-000000000002",
        "correlation_id": "2d9f5f5e-0000-4000-8000-000000000001",
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": mark,
        "schema_version": 1,
    }
    content = {
        "batch_id": mark,
        "text_storage_id": mark,
        "raw_file_storage_id": "raw",
        "original_file_name": "a.txt",
        "file_size_bytes": 1,
    }

    def event(data: dict[str, object], detail_type: str = "EssayContentProvisioned") -> str:
        return json.dumps({"detail-type": detail_type, "detail": {"metadata": metadata, "data": data}})

    return [
        ("provision", '{"broken": "' + mark),
        ("provision", event(content | {"original_file_name": "a\x00b.txt"})),
        ("provision", event(content | {"original_file_name": "x" * 200_000})),
        ("provision", event(content | {"file_size_bytes": "many"})),
        ("provision", event(content, "EssayContentPublished")),
        ("register", event({"batch_id": mark, "essay_ids": [], "expected_essay_count": 0})),
        ("register", "[]" + mark),
    ]
