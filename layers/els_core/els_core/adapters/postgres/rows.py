"""Between rows and domain values. A word that is not known raises: it must never pass for another."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

from els_core.application.ports.repository import (
    ParkedArrival,
)
from els_core.domain.arrivals import ArrivalKind, Content, Failure, key_of, kind_of
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    RegistrationDetails,
    Status,
)
from els_core.domain.events import OutboxMessage
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Reason, Superseded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import FinalOutcome, Outcome

type Json = dict[str, object]
type Row = Mapping[str, Any]

_BATCH = tuple(field.name for field in fields(Batch))
_DETAILS = tuple(field.name for field in fields(RegistrationDetails))
# What is written before the batches: slots that were freed, added or withdrawn.
NOTHING_BEFORE: Json = {"freed_assigned": 0, "freed_failed": 0, "more_slots": 0}

_CONTENT = tuple(field.name for field in fields(Content))
_FAILURE = tuple(field.name for field in fields(Failure))


def batch_of(row: Row) -> Batch:
    """Read a batch from the columns that carry its fields' names."""
    return Batch(**{name: row[name] for name in _BATCH} | {"status": Status(row["status"])})


def snapshot_of(row: Row) -> BatchSnapshot:
    """Read a batch with its slots and the failures that use one."""
    slots = row["slots"]
    details = {name: row[name] for name in _DETAILS}
    return BatchSnapshot(
        batch_of(row),
        RegistrationDetails(**details) if row["fingerprint"] is not None else None,
        tuple(slot[0] for slot in slots if slot[1] == "available"),
        tuple(AssignedSlot(slot[0], *slot[2:]) for slot in slots if slot[1] == "assigned"),
        tuple(RecordedFailure(*failure) for failure in row["failures"]),
        tuple(slot[0] for slot in slots if slot[1] == "withdrawn"),
        UUID(str(row["previous_event_id"])) if row["previous_event_id"] else None,
    )


def row_of_registration(registration: Registration) -> Json:
    """Return the row of a registration, with its slots."""
    return {
        "batch_id": registration.batch_id,
        "essay_ids": registration.essay_ids,
        "fingerprint": registration.fingerprint,
        **asdict(registration.details),
    }


def first_answer_of(word: str, what: str) -> FinalOutcome:
    """Read a first answer; raise ValueError for a word that is none."""
    match word:
        case "assigned":
            return Assigned(what)
        case "failed":
            return Failed(what)
        case "excess":
            return Excess(Reason(what))
        case "late":
            return Late(Reason(what))
        case "superseded":
            return Superseded()
        case _:
            raise ValueError(f"{word} is no answer to an arrival")


def parked_of(row: Row) -> ParkedArrival:
    """Read a parked arrival; one whose stored form can no longer be read, or is of another one, has none."""
    arrival: Arrival | None
    try:
        stored = dict(row["arrival"])
        match ArrivalKind(stored.pop("kind")):
            case ArrivalKind.CONTENT:
                arrival = Content(**stored)
            case ArrivalKind.FAILURE:
                arrival = Failure(**stored)
            case kind:
                assert_never(kind)
    except (KeyError, TypeError, ValueError):
        arrival = None
    key = row["batch_id"], row["identity"]
    return ParkedArrival(*key, arrival if arrival is not None and key_of(arrival) == key else None)


def stored_form_of(arrival: Arrival) -> Json:
    """Return the form in which an arrival is parked.

    It names what it supersedes only where it does: the version before cannot read that field.
    """
    fields = _fields(arrival)
    if arrival.supersedes is None:
        del fields["supersedes"]
    return {"kind": kind_of(arrival).value, **fields}


def message_of(row: Row) -> OutboxMessage:
    """Read a row of the outbox."""
    return OutboxMessage(
        UUID(str(row["event_id"])),
        row["batch_id"],
        row["detail_type"],
        row["detail"],
        is_final=row["is_final"],
        position=row["position"],
    )


def _fields(arrival: Arrival) -> Json:
    # dataclasses.asdict copies deeply, which strings and numbers do not need.
    match arrival:
        case Content():
            names = _CONTENT
        case Failure():
            names = _FAILURE
        case _:
            assert_never(arrival)
    return {name: getattr(arrival, name) for name in names}


def writes_of(changes: Sequence[BatchChange]) -> dict[str, list[Json]]:
    """Sort what the changes write by the parameters of `record_decisions`."""
    writes: dict[str, list[Json]] = {"slots": [], "failures": [], "excess": [], "parked": []}
    for change in changes:
        for arrival, outcome in change.fresh():
            for name, row in _rows(arrival, outcome):
                writes[name].append(row)
    writes["batches"] = [
        {
            "batch_id": change.after.batch_id,
            "status": change.after.status,
            "version": change.after.version,
            "expected_count": change.after.expected_count,
            "assigned_count": change.after.assigned_count,
            "failed_count": change.after.failed_count,
            "epoch": change.after.epoch,
            "deadline": change.after.deadline.isoformat() if change.after.deadline else None,
            "has_arrivals": not change.is_commanded and any(True for _ in change.fresh()),
            **NOTHING_BEFORE,
        }
        for change in changes
    ]
    return writes


def _rows(arrival: Arrival, outcome: Outcome) -> list[tuple[str, Json]]:
    """Return what one outcome writes, as pairs of parameter and row."""
    row = _fields(arrival)
    key: Json = {"batch_id": arrival.batch_id, "identity": arrival.identity}
    match outcome:
        case Assigned(essay_id):
            return [("slots", row | {"essay_id": essay_id, "status": "assigned"})]
        case Excess(reason):
            return [("excess", row | {"reason": reason})]
        case Failed(essay_id):
            slot: Json = {"batch_id": arrival.batch_id, "essay_id": essay_id, "status": "failed"}
            return [
                ("slots", slot | {"failure_identity": arrival.identity}),
                ("failures", row | key | {"essay_id": essay_id}),
            ]
        case Late(reason):
            return [("failures", row | key | {"late_reason": reason})]
        case Parked():
            return [("parked", key | {"arrival": stored_form_of(arrival)})]
        case Superseded() | Duplicate():
            return []  # what is superseded is written before
        case _:
            assert_never(outcome)
