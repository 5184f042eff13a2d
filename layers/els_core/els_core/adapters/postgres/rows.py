"""Between rows and domain facts."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from els_core.application.ports.repository import ParkedArrival
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    RegistrationDetails,
    Status,
)
from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    Late,
    Parked,
    Reason,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import RowMapping

    from els_core.domain.arrivals import Arrival
    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import FinalOutcome, Outcome

type Json = dict[str, object]

_BATCH = tuple(field.name for field in fields(Batch))
_TERMS = tuple(field.name for field in fields(RegistrationDetails))
_KINDS = {"content": Content, "failure": Failure}
_ARRIVALS = {kind: tuple(field.name for field in fields(kind)) for kind in (Content, Failure)}


def batch_of(row: RowMapping) -> Batch:
    """Read a batch from the columns that carry its fields' names."""
    return Batch(**{name: row[name] for name in _BATCH} | {"status": Status(row["status"])})


def snapshot_of(row: RowMapping) -> BatchSnapshot:
    """Read a batch with everything that it holds."""
    slots = row["slots"]
    return BatchSnapshot(
        batch_of(row),
        RegistrationDetails(**{name: row[name] for name in _TERMS})
        if row["fingerprint"] is not None
        else None,
        tuple(slot[0] for slot in slots if slot[1] == "available"),
        tuple(AssignedSlot(slot[0], *slot[2:]) for slot in slots if slot[1] == "assigned"),
        tuple(RecordedFailure(*failure) for failure in row["failures"]),
    )


def answer_of(word: str, what: str) -> FinalOutcome:
    """Read a first answer."""
    match word:
        case "assigned":
            return Assigned(what)
        case "failed":
            return Failed(what)
        case "excess":
            return Excess(Reason(what))
        case _:
            return Late(Reason(what))


def parked_of(row: RowMapping) -> ParkedArrival:
    """Read a parked arrival; one whose stored form can no longer be read has none."""
    stored = dict(row["arrival"])
    try:
        arrival = _KINDS[stored.pop("kind")](**stored)
    except (KeyError, TypeError):
        arrival = None
    return ParkedArrival(row["batch_id"], row["identity"], arrival)


def stored(arrival: Arrival) -> Json:
    """Return the form in which an arrival is parked."""
    return {"kind": "content" if isinstance(arrival, Content) else "failure", **_fields(arrival)}


def _fields(arrival: Arrival) -> Json:
    # dataclasses.asdict copies deeply, which strings and numbers do not need.
    return {name: getattr(arrival, name) for name in _ARRIVALS[type(arrival)]}


def writes_of(changes: Sequence[BatchChange]) -> dict[str, list[Json]]:
    """Sort what the changes write by the parameters of the statement RECORD."""
    writes: dict[str, list[Json]] = {"slots": [], "failures": [], "excess": [], "parked": []}
    for arrival, outcome in _fresh(changes):
        _write(writes, arrival, outcome)
    writes["batches"] = [
        {
            "batch_id": change.after.batch_id,
            "status": change.after.status,
            "version": change.after.version,
            "assigned_count": change.after.assigned_count,
            "failed_count": change.after.failed_count,
        }
        for change in changes
    ]
    return writes


def _fresh(changes: Sequence[BatchChange]) -> Iterable[tuple[Arrival, Outcome]]:
    return (pair for change in changes for pair in change.fresh())


def _write(writes: dict[str, list[Json]], arrival: Arrival, outcome: Outcome) -> None:
    row = _fields(arrival)
    match outcome:
        case Assigned(essay_id):
            writes["slots"].append(row | {"essay_id": essay_id, "status": "assigned"})
        case Excess(reason):
            writes["excess"].append(row | {"reason": reason})
        case Failed(essay_id):
            slot: Json = {"batch_id": arrival.batch_id, "essay_id": essay_id, "status": "failed"}
            writes["slots"].append(slot | {"failure_identity": arrival.identity})
            writes["failures"].append(row | {"identity": arrival.identity, "essay_id": essay_id})
        case Late(reason):
            writes["failures"].append(row | {"identity": arrival.identity, "late_reason": reason})
        case Parked():
            parked: Json = {"batch_id": arrival.batch_id, "identity": arrival.identity}
            writes["parked"].append(parked | {"arrival": stored(arrival)})
        case Duplicate():
            pass
