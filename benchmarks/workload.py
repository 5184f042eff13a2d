"""The one seeded trace of all figures: batches shuffled together, with duplicates, failures and excess."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.domain.arrivals import Arrival

SEED = 20260131
DUPLICATES, FAILURES, EXCESS = 0.10, 0.02, 0.01  # shares of all items


@dataclass(frozen=True)
class Shape:
    """So many batches of so many slots."""

    batches: int
    slots: int

    def __str__(self) -> str:
        return f"{self.batches} x {self.slots}"

    @property
    def items(self) -> int:
        """Return the number of slots of all batches."""
        return self.batches * self.slots


@dataclass(frozen=True)
class Trace:
    """Registrations, and arrivals in their order; `excess` of them find no slot."""

    shape: Shape
    registrations: list[Registration]
    arrivals: list[Arrival]
    excess: int

    @classmethod
    def of(cls, shape: Shape) -> Self:
        """Return the trace of a shape, always the same."""
        dice = random.Random(SEED)  # noqa: S311 - a repeatable trace
        excess = round(shape.items * EXCESS)
        owners = [number % shape.batches for number in range(shape.items)]
        owners += [dice.randrange(shape.batches) for _ in range(excess)]
        failing = set(dice.sample(range(shape.items), round(shape.items * FAILURES)))
        originals = [
            (_failure if number in failing else _content)(owner, number)
            for number, owner in enumerate(owners)
        ]
        dice.shuffle(originals)
        registrations = [_registration(owner, shape.slots) for owner in range(shape.batches)]
        return cls(shape, registrations, _repeated(originals, dice), excess)

    def chunks(self, size: int) -> list[Sequence[Arrival]]:
        """Return the arrivals as a queue would hand them over."""
        return [self.arrivals[at : at + size] for at in range(0, len(self.arrivals), size)]


def sqs_event(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """Return the event with which Lambda calls the function, one record per arrival."""
    return {"Records": [_record(position, arrival) for position, arrival in enumerate(arrivals)]}


def _repeated(originals: list[Arrival], dice: random.Random) -> list[Arrival]:
    """Deliver a tenth twice: half of these at once again, half at the end."""
    count = round(len(originals) * DUPLICATES)
    chosen = dice.sample(range(len(originals)), count)
    adjacent = set(chosen[: count // 2])
    late = [originals[at] for at in chosen[count // 2 :]]
    copies = ((arrival,) * (2 if at in adjacent else 1) for at, arrival in enumerate(originals))
    return [arrival for copy in copies for arrival in copy] + late


def _batch_id(owner: int) -> str:
    return f"batch-{owner:05}"


def _correlation(owner: int) -> str:
    """Return the id that one hand-in carries through all its events."""
    return str(UUID(int=owner))


def _registration(owner: int, slots: int) -> Registration:
    details = RegistrationDetails(
        "ENG5", "teacher-1", _correlation(owner), 86_400, essay_instructions="Write of a journey."
    )
    essay_ids = tuple(str(UUID(int=(owner << 32) + slot)) for slot in range(slots))
    return Registration(_batch_id(owner), essay_ids, details, f"fingerprint of {owner}")


def _content(owner: int, number: int) -> Arrival:
    return Content(
        batch_id=_batch_id(owner),
        text_storage_id=f"text-{number:08}-0000-4000-8000-000000000000",
        raw_file_storage_id=f"raw-{number:08}-0000-4000-8000-000000000000",
        original_file_name=f"Uppsats om en resa {number}.docx",
        file_size_bytes=1_834,
        correlation_id=_correlation(owner),
        content_md5_hash=f"{number:032x}",
        file_upload_id=f"upload-{number:08}",
    )


def _failure(owner: int, number: int) -> Arrival:
    return Failure(
        batch_id=_batch_id(owner),
        event_id=str(UUID(int=number)),
        raw_file_storage_id="STORAGE_FAILED",
        original_file_name=f"Uppsats om en resa {number}.docx",
        file_size_bytes=0,
        error_code="EMPTY_CONTENT",
        error_message="The file is empty.",
        correlation_id=_correlation(owner),
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
    event_id = str(UUID(int=position)) if isinstance(arrival, Content) else arrival.event_id
    kind = "EssayContentProvisioned" if isinstance(arrival, Content) else "EssayValidationFailed"
    return {
        "version": "0",
        "id": str(UUID(int=position)),
        "detail-type": kind,
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
    if isinstance(arrival, Content):
        own = {
            "text_storage_id": arrival.text_storage_id,
            "content_md5_hash": arrival.content_md5_hash,
        }
    else:
        own = {
            "validation_error_code": arrival.error_code,
            "validation_error_message": arrival.error_message,
        }
    return data | own
