"""Rows of Postgres to domain values and back. A word that is not known here raises `ProcessingError`."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, assert_never, get_args

from els_core.application.ports.repository import ParkedArrival
from els_core.domain.arrivals import Arrival, Content, Failure
from els_core.domain.audit import Finding, FindingKind
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    RegistrationDetails,
    Status,
)
from els_core.domain.errors import ProcessingError
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import StrEnum

    from sqlalchemy.engine import RowMapping

    from els_core.domain.decisions import BatchChange
    from els_core.domain.outcomes import FinalOutcome, Outcome, Proposal

type Json = dict[str, Any]


_BATCH = tuple(field.name for field in fields(Batch))
_DETAILS = tuple(field.name for field in fields(RegistrationDetails))
# Each kind of arrival with its fields. `dataclasses.asdict` is slower: it copies deeply.
_ARRIVALS = {kind: tuple(field.name for field in fields(kind)) for kind in get_args(Arrival.__value__)}


def _unknown(what: str, word: object) -> ProcessingError:
    return ProcessingError("read row", service="Postgres", details=f"unknown {what} {word!r}")


def _member[E: StrEnum](kind: type[E], word: str) -> E:
    """Return the member of an enum; raise `ProcessingError` for a word that it does not have."""
    try:
        return kind(word)
    except ValueError:
        raise _unknown(kind.__name__, word) from None


def batch_of(row: RowMapping) -> Batch:
    """Read a batch from the columns that carry its fields' names."""
    values = {name: row[name] for name in _BATCH}
    return Batch(**values | {"status": _member(Status, row["status"])})


def snapshot_of(row: RowMapping) -> BatchSnapshot:
    """Read a batch with all that belongs to it."""
    available: list[str] = []
    assigned: list[AssignedSlot] = []
    for essay_id, status, *content in row["slots"]:
        match status:
            case "available":
                available.append(essay_id)
            case "assigned":
                assigned.append(AssignedSlot(essay_id, *content))
            case "failed":
                pass  # stands among the failures
            case _:
                raise _unknown("slot status", status)
    details = {name: row[name] for name in _DETAILS}
    return BatchSnapshot(
        batch_of(row),
        RegistrationDetails(**details) if row["fingerprint"] is not None else None,
        tuple(available),
        tuple(assigned),
        tuple(RecordedFailure(*failure) for failure in row["failures"]),
    )


def outcome_of(kind: str, value: str) -> FinalOutcome:
    """Read the first outcome of an arrival."""
    match kind:
        case "assigned":
            return Assigned(value)
        case "failed":
            return Failed(value)
        case "excess":
            return Excess(_member(Reason, value))
        case "late":
            return Late(_member(Reason, value))
        case _:
            raise _unknown("outcome", kind)


def finding_of(row: RowMapping) -> Finding:
    """Read a finding of the audit."""
    kind = _member(FindingKind, row["kind"])
    return Finding(kind, row["batch_id"], row["detail"], row["correlation_id"], row["since"])


def parked_of(row: RowMapping) -> ParkedArrival:
    """Read a parked arrival. One that cannot be read stays parked, so it must not fail the others."""
    try:
        arrival = arrival_of(row["arrival"])
    except ProcessingError:
        arrival = None
    return ParkedArrival(row["batch_id"], row["identity"], arrival)


def arrival_of(stored: object) -> Arrival:
    """Read the stored form of an arrival; raise `ProcessingError` when it is not one of this code."""
    if not isinstance(stored, dict):
        raise _unknown("stored form", type(stored).__name__)
    kind = stored.get("kind")
    values = {name: value for name, value in stored.items() if name != "kind"}
    try:
        match kind:
            case "content":
                return Content(**values)
            case "failure":
                return Failure(**values)
            case _:
                raise _unknown("kind of arrival", kind)
    except TypeError:
        raise _unknown(f"fields of a {kind}", sorted(values)) from None


def stored_form(arrival: Arrival) -> Json:
    """Return the form in which an arrival is parked."""
    match arrival:
        case Content():
            kind = "content"
        case Failure():
            kind = "failure"
        case _:
            assert_never(arrival)
    return {"kind": kind, **_fields(arrival)}


def asked_of(arrival: Arrival, proposal: Proposal | None) -> Json:
    """Return what the statement `read_locked_view` is asked about an arrival."""
    proposed = proposal.essay_id if proposal else None
    asked = {"batch_id": arrival.batch_id, "identity": arrival.identity, "proposed_essay_id": proposed}
    match arrival:
        case Content():
            return {**asked, "text_storage_id": arrival.text_storage_id}
        case Failure():
            return {**asked, "text_storage_id": None}
        case _:
            assert_never(arrival)


def writes_of(changes: Sequence[BatchChange]) -> dict[str, list[Json]]:
    """Sort what the changes write by the parameters of the statement `record_decisions`."""
    writes: dict[str, list[Json]] = {"slots": [], "failures": [], "excess": [], "parked": []}
    for change in changes:
        for arrival, outcome in change.decided:
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


def _fields(arrival: Arrival) -> Json:
    return {name: getattr(arrival, name) for name in _ARRIVALS[type(arrival)]}


def _write(writes: dict[str, list[Json]], arrival: Arrival, outcome: Outcome) -> None:
    key = {"batch_id": arrival.batch_id, "identity": arrival.identity}
    match outcome:
        case Assigned(essay_id):
            writes["slots"].append({**_fields(arrival), "essay_id": essay_id, "status": "assigned"})
        case Failed(essay_id):
            slot = {"batch_id": arrival.batch_id, "essay_id": essay_id, "status": "failed"}
            writes["slots"].append({**slot, "failure_identity": arrival.identity})
            writes["failures"].append({**_fields(arrival), **key, "essay_id": essay_id})
        case Excess(reason):
            writes["excess"].append({**_fields(arrival), "reason": reason})
        case Late(reason):
            writes["failures"].append({**_fields(arrival), **key, "late_reason": reason})
        case Parked():
            writes["parked"].append({**key, "arrival": stored_form(arrival)})
        case Duplicate():
            pass  # its first outcome is written already
        case _:
            assert_never(outcome)
