"""The batches that the producer sends: generated from a seed, each with the statuses that it may end in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

BATCH_SIZES = (1, 2, 5, 10, 25, 25, 40, 120)
LONG_TIMEOUT_SECONDS = 86_400
DUPLICATED_SHARE = 0.15  # of the events; each is sent two to five times
REGISTERED_FIRST_SHARE = 0.5


@dataclass(frozen=True)
class InboundEvent:
    """One event for the inbound bus."""

    detail_type: str
    event_id: str
    detail: str


@dataclass
class PlannedBatch:
    """One batch: its events in the order in which they are sent, and what reconciliation expects of it."""

    batch_id: str
    profile: str
    registrations: list[dict[str, Any]] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    events: list[InboundEvent] = field(default_factory=list)
    allowed_statuses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BatchProfile:
    """What kind of batch it is: how many contents and failures arrive for its slots, and its timeout."""

    name: str
    shares: tuple[float, float]  # of contents and of failures; 1 is as many as there are slots
    extra_contents: int = 0
    timeout_seconds: tuple[int, int] | None = None
    is_registered_differently: bool = False


PROFILES = (
    BatchProfile("all good", (1, 0)),
    BatchProfile("some failed", (0.8, 0.2)),
    BatchProfile("all failed", (0, 1)),
    BatchProfile("too many", (1, 0.2), extra_contents=3),
    BatchProfile("never full", (0.5, 0.2), timeout_seconds=(5, 20)),
    BatchProfile("deadline races the last file", (1, 0), timeout_seconds=(2, 12)),
    BatchProfile("registered twice, differently", (1, 0), is_registered_differently=True),
)


class WorkloadGenerator:
    """Generates batches; the same seed generates the same ones."""

    def __init__(self, random: Random, prefix: str) -> None:
        self._random = random
        self._prefix = prefix
        self._count = 0

    def next_batch(self, profile: BatchProfile | None = None, slots: int | None = None) -> PlannedBatch:
        """Generate the next batch, of a random profile and size unless they are given."""
        profile = profile or self._random.choice(PROFILES)
        slots = slots or self._random.choice(BATCH_SIZES)
        self._count += 1
        batch = PlannedBatch(f"{self._prefix}-{self._count:05}", profile.name)
        timeout = (
            self._random.randint(*profile.timeout_seconds)
            if profile.timeout_seconds
            else LONG_TIMEOUT_SECONDS
        )
        contents, failures = _counts(profile, slots)
        batch.allowed_statuses = _allowed_statuses(
            slots, contents, failures, has_short_timeout=profile.timeout_seconds is not None
        )
        teachers = ("teacher-1", "teacher-2") if profile.is_registered_differently else ("teacher-1",)
        registrations = [self._registration(batch, slots, timeout, teacher) for teacher in teachers]
        arrivals = [self._content(batch, number) for number in range(contents)]
        arrivals += [self._failure(batch, number) for number in range(failures)]
        batch.events = self._in_random_order(registrations, arrivals)
        return batch

    def _in_random_order(
        self, registrations: Sequence[InboundEvent], arrivals: list[InboundEvent]
    ) -> list[InboundEvent]:
        """Shuffle the arrivals, put each registration first or anywhere, and duplicate some of all."""
        self._random.shuffle(arrivals)
        events = list(arrivals)
        for event in registrations:
            is_first = self._random.random() < REGISTERED_FIRST_SHARE
            events.insert(0 if is_first else self._random.randrange(len(events) + 1), event)
        for event in list(events):
            if self._random.random() < DUPLICATED_SHARE:
                for _ in range(self._random.randint(1, 4)):
                    events.insert(self._random.randrange(len(events) + 1), event)
        return events

    def _registration(self, batch: PlannedBatch, slots: int, timeout: int, teacher: str) -> InboundEvent:
        data = {
            "batch_id": batch.batch_id,
            "essay_ids": [f"{batch.batch_id}.slot-{number:04}" for number in range(slots)],
            "expected_essay_count": slots,
            "course_code": self._random.choice(("ENG5", "SV1")),
            "user_id": teacher,
            "timeout_seconds": timeout,
        }
        batch.registrations.append(data)
        return self._event("BatchEssaysRegistered", data)

    def _content(self, batch: PlannedBatch, number: int) -> InboundEvent:
        text_storage_id = f"{batch.batch_id}.text-{number:04}"
        batch.contents.append(text_storage_id)
        data = {
            "batch_id": batch.batch_id,
            "text_storage_id": text_storage_id,
            "raw_file_storage_id": f"raw-{number}",
            "original_file_name": f"Uppsats åäö {number}.txt",
            "file_size_bytes": 1_834,
        }
        return self._event("EssayContentProvisioned", data)

    def _failure(self, batch: PlannedBatch, number: int) -> InboundEvent:
        """Return a failure; every second one has an upload id, the others are identified by their event."""
        data = {
            "batch_id": batch.batch_id,
            "original_file_name": f"tom {number}.txt",
            "raw_file_storage_id": "STORAGE_FAILED",
            "validation_error_code": "EMPTY_CONTENT",
            "validation_error_message": "the file is empty",
            "file_size_bytes": 0,
        }
        if number % 2:
            data["file_upload_id"] = f"{batch.batch_id}.upload-{number:04}"
        event = self._event("EssayValidationFailed", data)
        identity = f"upload:{data['file_upload_id']}" if number % 2 else f"event:{event.event_id}"
        batch.failures.append(identity)
        return event

    def _event(self, detail_type: str, data: dict[str, Any]) -> InboundEvent:
        event_id = str(UUID(int=self._random.getrandbits(128), version=4))
        metadata = {
            "event_id": event_id,
            "correlation_id": event_id,
            "occurred_at": "2026-01-31T12:00:00Z",
            "source_service": "chaos",
            "schema_version": 1,
        }
        return InboundEvent(detail_type, event_id, json.dumps({"metadata": metadata, "data": data}))


def _counts(profile: BatchProfile, slots: int) -> tuple[int, int]:
    """Return how many contents and failures arrive; shares that make a whole fill every slot."""
    content_share, failure_share = profile.shares
    failures = round(slots * failure_share)
    if profile.extra_contents:
        return slots + profile.extra_contents, failures
    if content_share + failure_share < 1:
        return int(slots * content_share), int(slots * failure_share)
    return slots - failures, failures


def _allowed_statuses(slots: int, contents: int, failures: int, *, has_short_timeout: bool) -> frozenset[str]:
    """Return the statuses in which the batch may end."""
    statuses = {"timed_out"} if has_short_timeout else set()
    if contents + failures >= slots:
        statuses |= {"ready"} if contents else set()
        statuses |= {"failed"} if failures >= slots else set()
    return frozenset(statuses)
