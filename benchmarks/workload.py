"""The seeded workload of all measurements: interleaved batches with duplicates, failures and excess."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, assert_never
from uuid import UUID

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.arrivals import Arrival

SEED = 20260131
DUPLICATES, FAILURES, EXCESS = 0.10, 0.02, 0.01  # shares of all slots


@dataclass(frozen=True)
class WorkloadSize:
    """How many batches, and how many slots in each."""

    batches: int
    slots: int

    def __str__(self) -> str:
        return f"{self.batches} x {self.slots}"

    @property
    def total_slots(self) -> int:
        """Return the number of slots of all batches."""
        return self.batches * self.slots


@dataclass(frozen=True)
class Workload:
    """Registrations, and arrivals in the order of their delivery; `excess` of them find no slot."""

    size: WorkloadSize
    registrations: list[Registration]
    arrivals: list[Arrival]
    excess: int

    @classmethod
    def generate(cls, size: WorkloadSize) -> Self:
        """Return the workload of a size, always the same."""
        rng = random.Random(SEED)  # noqa: S311 - a repeatable workload
        excess = round(size.total_slots * EXCESS)
        batches = [number % size.batches for number in range(size.total_slots)]
        batches += [rng.randrange(size.batches) for _ in range(excess)]
        failing = set(rng.sample(range(size.total_slots), round(size.total_slots * FAILURES)))
        originals = [
            (_failure if number in failing else _content)(batch, number)
            for number, batch in enumerate(batches)
        ]
        rng.shuffle(originals)
        registrations = [_registration(batch, size.slots) for batch in range(size.batches)]
        return cls(size, registrations, _repeated(originals, rng), excess)

    def sqs_batches(self, size: int) -> list[Sequence[Arrival]]:
        """Return the arrivals in SQS batches of a size."""
        return [self.arrivals[start : start + size] for start in range(0, len(self.arrivals), size)]


def sqs_event(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """Return the event with which Lambda invokes the function, one record per arrival."""
    return {"Records": [_record(position, arrival) for position, arrival in enumerate(arrivals)]}


def _repeated(originals: list[Arrival], rng: random.Random) -> list[Arrival]:
    """Deliver a tenth twice: half of these again at once, half at the end."""
    count = round(len(originals) * DUPLICATES)
    chosen = rng.sample(range(len(originals)), count)
    at_once = set(chosen[: count // 2])
    at_the_end = [originals[position] for position in chosen[count // 2 :]]
    deliveries = (
        (arrival,) * (2 if position in at_once else 1) for position, arrival in enumerate(originals)
    )
    return [arrival for delivery in deliveries for arrival in delivery] + at_the_end


def _batch_id(batch: int) -> str:
    return f"batch-{batch:05}"


def _correlation_id(batch: int) -> str:
    """Return the correlation id of all events of a batch."""
    return str(UUID(int=batch))


def _registration(batch: int, slots: int) -> Registration:
    details = RegistrationDetails(
        "ENG5", "teacher-1", _correlation_id(batch), 86_400, essay_instructions="Write about a journey."
    )
    essay_ids = tuple(str(UUID(int=(batch << 32) + slot)) for slot in range(slots))
    return Registration(_batch_id(batch), essay_ids, details, f"fingerprint of {batch}")


def _content(batch: int, number: int) -> Arrival:
    return Content(
        batch_id=_batch_id(batch),
        text_storage_id=f"text-{number:08}-0000-4000-8000-000000000000",
        raw_file_storage_id=f"raw-{number:08}-0000-4000-8000-000000000000",
        original_file_name=f"Uppsats om en resa {number}.docx",
        file_size_bytes=1_834,
        correlation_id=_correlation_id(batch),
        content_md5_hash=f"{number:032x}",
        file_upload_id=f"upload-{number:08}",
    )


def _failure(batch: int, number: int) -> Arrival:
    return Failure(
        batch_id=_batch_id(batch),
        event_id=str(UUID(int=number)),
        raw_file_storage_id="STORAGE_FAILED",
        original_file_name=f"Uppsats om en resa {number}.docx",
        file_size_bytes=0,
        error_code="EMPTY_CONTENT",
        error_message="The file is empty.",
        correlation_id=_correlation_id(batch),
        file_upload_id=f"upload-{number:08}",
    )


def _record(position: int, arrival: Arrival) -> dict[str, Any]:
    return {
        "messageId": str(UUID(int=position)),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(_bus_event(position, arrival)),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1769860800000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1769860800001",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-north-1:123456789012:els-provision-content",
        "awsRegion": "eu-north-1",
    }


def _bus_event(position: int, arrival: Arrival) -> dict[str, Any]:
    match arrival:
        case Content():
            detail_type, event_id = "EssayContentProvisioned", str(UUID(int=position))
        case Failure():
            detail_type, event_id = "EssayValidationFailed", arrival.event_id
        case _:
            assert_never(arrival)
    return {
        "version": "0",
        "id": str(UUID(int=position)),
        "detail-type": detail_type,
        "source": "file-service",
        "account": "123456789012",
        "time": "2026-01-31T12:00:00Z",
        "region": "eu-north-1",
        "resources": [],
        "detail": {
            "metadata": {
                "event_id": event_id,
                "correlation_id": arrival.correlation_id,
                "occurred_at": "2026-01-31T12:00:00Z",
                "source_service": "file-service",
                "schema_version": 1,
            },
            "data": _data(arrival),
        },
    }


def _data(arrival: Arrival) -> dict[str, Any]:
    data = {
        "batch_id": arrival.batch_id,
        "raw_file_storage_id": arrival.raw_file_storage_id,
        "original_file_name": arrival.original_file_name,
        "file_size_bytes": arrival.file_size_bytes,
        "file_upload_id": arrival.file_upload_id,
    }
    match arrival:
        case Content():
            own = {
                "text_storage_id": arrival.text_storage_id,
                "content_md5_hash": arrival.content_md5_hash,
            }
        case Failure():
            own = {
                "validation_error_code": arrival.error_code,
                "validation_error_message": arrival.error_message,
            }
        case _:
            assert_never(arrival)
    return data | own
