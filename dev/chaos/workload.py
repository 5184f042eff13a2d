"""What upstream means to do: batches of every kind, and what may become of each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

SIZES = (1, 2, 5, 10, 25, 25, 40, 120)
LONG_SECONDS = 86_400
COPIES = 0.15  # the share of events that upstream sends more than once
REGISTERED_FIRST = 0.5


@dataclass(frozen=True)
class Announced:
    """One event of upstream, as it is put on the inbound bus."""

    detail_type: str
    event_id: str
    detail: str


@dataclass
class Plan:
    """One batch: what is announced, in order, and what may become of it."""

    batch_id: str
    kind: str
    registrations: list[dict[str, Any]] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    events: list[Announced] = field(default_factory=list)
    may_become: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Kind:
    """A kind of batch: how many good and bad files come for its slots, and how long it waits."""

    name: str
    shares: tuple[float, float]  # of good files, of bad files; 1 is all slots
    extra: int = 0
    timeout: tuple[int, int] | None = None
    conflict: bool = False


KINDS = (
    Kind("all good", (1, 0)),
    Kind("some failed", (0.8, 0.2)),
    Kind("all failed", (0, 1)),
    Kind("too many", (1, 0.2), extra=3),
    Kind("never full", (0.5, 0.2), timeout=(5, 20)),
    Kind("deadline races the last file", (1, 0), timeout=(2, 12)),
    Kind("registered twice, differently", (1, 0), conflict=True),
)


class Planner:
    """Makes plans from a seed; the same seed makes the same plans."""

    def __init__(self, random: Random, run: str) -> None:
        self._random = random
        self._run = run
        self._count = 0

    def next(self, kind: Kind | None = None, slots: int | None = None) -> Plan:
        """Return the next batch."""
        kind = kind or self._random.choice(KINDS)
        slots = slots or self._random.choice(SIZES)
        self._count += 1
        plan = Plan(f"{self._run}-{self._count:05}", kind.name)
        timeout = self._random.randint(*kind.timeout) if kind.timeout else LONG_SECONDS
        good, bad = _numbers(kind, slots)
        plan.may_become = _ends(slots, good, bad, has_short_deadline=kind.timeout is not None)
        teachers = ("teacher-1", "teacher-2") if kind.conflict else ("teacher-1",)
        registrations = [self._registration(plan, slots, timeout, teacher) for teacher in teachers]
        arrivals = [self._content(plan, n) for n in range(good)] + [
            self._failure(plan, n) for n in range(bad)
        ]
        plan.events = self._in_order(registrations, arrivals)
        return plan

    def _in_order(self, registrations: Sequence[Announced], arrivals: list[Announced]) -> list[Announced]:
        """Shuffle, copy some, and let the registration come first or anywhere."""
        self._random.shuffle(arrivals)
        events = list(arrivals)
        for event in registrations:
            first = self._random.random() < REGISTERED_FIRST
            events.insert(0 if first else self._random.randrange(len(events) + 1), event)
        for event in list(events):
            if self._random.random() < COPIES:
                for _ in range(self._random.randint(1, 4)):
                    events.insert(self._random.randrange(len(events) + 1), event)
        return events

    def _registration(self, plan: Plan, slots: int, timeout: int, teacher: str) -> Announced:
        data = {
            "batch_id": plan.batch_id,
            "essay_ids": [f"{plan.batch_id}.slot-{n:04}" for n in range(slots)],
            "expected_essay_count": slots,
            "course_code": self._random.choice(("ENG5", "SV1")),
            "user_id": teacher,
            "timeout_seconds": timeout,
        }
        plan.registrations.append(data)
        return self._announced("BatchEssaysRegistered", data)

    def _content(self, plan: Plan, number: int) -> Announced:
        name = f"{plan.batch_id}.text-{number:04}"
        plan.contents.append(name)
        data = {
            "batch_id": plan.batch_id,
            "text_storage_id": name,
            "raw_file_storage_id": f"raw-{number}",
            "original_file_name": f"Uppsats åäö {number}.txt",
            "file_size_bytes": 1_834,
        }
        return self._announced("EssayContentProvisioned", data)

    def _failure(self, plan: Plan, number: int) -> Announced:
        data = {
            "batch_id": plan.batch_id,
            "original_file_name": f"tom {number}.txt",
            "raw_file_storage_id": "STORAGE_FAILED",
            "validation_error_code": "EMPTY_CONTENT",
            "validation_error_message": "the file is empty",
            "file_size_bytes": 0,
        }
        if number % 2:
            data["file_upload_id"] = f"{plan.batch_id}.upload-{number:04}"
        event = self._announced("EssayValidationFailed", data)
        plan.failures.append(f"upload:{data['file_upload_id']}" if number % 2 else f"event:{event.event_id}")
        return event

    def _announced(self, detail_type: str, data: dict[str, Any]) -> Announced:
        event_id = str(UUID(int=self._random.getrandbits(128), version=4))
        metadata = {
            "event_id": event_id,
            "correlation_id": event_id,
            "occurred_at": "2026-01-31T12:00:00Z",
            "source_service": "chaos",
            "schema_version": 1,
        }
        return Announced(detail_type, event_id, json.dumps({"metadata": metadata, "data": data}))


def _numbers(kind: Kind, slots: int) -> tuple[int, int]:
    """Return how many good and bad files there are; where the shares make a whole, so do the numbers."""
    good_share, bad_share = kind.shares
    bad = round(slots * bad_share)
    if kind.extra:
        return slots + kind.extra, bad
    if good_share + bad_share < 1:
        return int(slots * good_share), int(slots * bad_share)
    return slots - bad, bad


def _ends(slots: int, good: int, bad: int, *, has_short_deadline: bool) -> frozenset[str]:
    """Return the statuses that the batch may end with."""
    ends = {"timed_out"} if has_short_deadline else set()
    if good + bad >= slots:
        ends |= {"ready"} if good else set()
        ends |= {"failed"} if bad >= slots else set()
    return frozenset(ends)
