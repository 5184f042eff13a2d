"""The upstream producer: sends the events of several batches at a time, and poison messages among them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dev.chaos.environment import INBOUND_BUS

if TYPE_CHECKING:
    from random import Random
    from threading import Event

    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from dev.chaos.environment import Environment
    from dev.chaos.worker_threads import WorkerThreads
    from dev.chaos.workload import InboundEvent, PlannedBatch, WorkloadGenerator

CONCURRENT_BATCHES = 8
EVENTS_PER_CALL = 10
CALLS_PER_POISON = 25
CONTENTS, REGISTRATIONS = "ProvisionContentQueue", "RegisterBatchQueue"


@dataclass
class Producer:
    """Sends generated batches at a steady rate; a batch that was begun is always sent to its end."""

    environment: Environment
    workload: WorkloadGenerator
    random: Random
    threads: WorkerThreads
    rate: float  # events per second
    batch_limit: int | None = None  # without one, batches are begun until the load is stopped
    batches: list[PlannedBatch] = field(default_factory=list)
    poison: list[str] = field(default_factory=list)
    sent: int = 0
    _open: list[tuple[PlannedBatch, int]] = field(default_factory=list)
    _calls: int = 0

    def __post_init__(self) -> None:
        self._events, self._sqs = self.environment.events(), self.environment.sqs()

    def step(self, load_stopped: Event, all_sent: Event) -> None:
        """Send the next events, then wait as the rate demands; set `all_sent` when none is left."""
        events = self._next_events(begin_batches=self._may_begin(is_stopped=load_stopped.is_set()))
        if not events:
            all_sent.set()
            return
        self._put_events(events)
        self._calls += 1
        if self._calls % CALLS_PER_POISON == 1:
            self._send_poison()
        self.threads.wait(len(events) / self.rate)

    def _may_begin(self, *, is_stopped: bool) -> bool:
        """Tell whether another batch may begin; a limited number is always sent in full."""
        return len(self.batches) < self.batch_limit if self.batch_limit is not None else not is_stopped

    def _next_events(self, *, begin_batches: bool) -> list[InboundEvent]:
        """Return the next events of the open batches, mixed at random."""
        events: list[InboundEvent] = []
        while len(events) < EVENTS_PER_CALL:
            while (
                begin_batches
                and len(self._open) < CONCURRENT_BATCHES
                and len(self.batches) != self.batch_limit
            ):
                batch = self.workload.next_batch()
                self.batches.append(batch)
                self._open.append((batch, 0))
            if not self._open:
                break
            which = self.random.randrange(len(self._open))
            batch, position = self._open[which]
            events.append(batch.events[position])
            if position + 1 < len(batch.events):
                self._open[which] = (batch, position + 1)
            else:
                self._open.pop(which)
        return events

    def _put_events(self, events: list[InboundEvent]) -> None:
        """Put the events on the bus, again and again until the call succeeds: delivery is at least once."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": INBOUND_BUS,
                "Source": "chaos",
                "DetailType": event.detail_type,
                "Detail": event.detail,
            }
            for event in events
        ]
        while not self.threads.stopped.is_set():
            try:
                self._events.put_events(Entries=entries)
            except (BotoCoreError, ClientError):
                self.threads.wait(0.5)
            else:
                self.sent += len(events)
                return

    def _send_poison(self) -> None:
        """Send one message that can never succeed to a queue of a function."""
        marker = f"poison-{len(self.poison):03}"
        queue, body = self.random.choice(_poison_messages(marker))
        url = self.environment.source_queues[queue].url
        while not self.threads.stopped.is_set():
            try:
                self._sqs.send_message(QueueUrl=url, MessageBody=body)
            except (BotoCoreError, ClientError):
                self.threads.wait(0.5)
            else:
                self.poison.append(marker)
                return


def _poison_messages(marker: str) -> list[tuple[str, str]]:
    """Return one message per kind of poison, with its queue; the marker is in each body."""
    metadata = {
        "event_id": "1d9f5f5e-0000-4000-8000-000000000002",
        "correlation_id": "2d9f5f5e-0000-4000-8000-000000000001",
        "occurred_at": "2026-01-31T12:00:00Z",
        "source_service": marker,
        "schema_version": 1,
    }
    content = {
        "batch_id": marker,
        "text_storage_id": marker,
        "raw_file_storage_id": "raw",
        "original_file_name": "a.txt",
        "file_size_bytes": 1,
    }

    def event(data: dict[str, object], detail_type: str = "EssayContentProvisioned") -> str:
        return json.dumps({"detail-type": detail_type, "detail": {"metadata": metadata, "data": data}})

    return [
        (CONTENTS, '{"broken": "' + marker),
        (CONTENTS, event(content | {"original_file_name": "a\x00b.txt"})),
        (CONTENTS, event(content | {"original_file_name": "x" * 200_000})),
        (CONTENTS, event(content | {"file_size_bytes": "many"})),
        (CONTENTS, event(content, "EssayContentPublished")),
        (REGISTRATIONS, event({"batch_id": marker, "essay_ids": [], "expected_essay_count": 0})),
        (REGISTRATIONS, "[]" + marker),
    ]
