"""Every word that Postgres returns is read, and one that is not known raises."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

import pytest
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from els_core.adapters.postgres.rows import (
    arrival_of,
    batch_of,
    finding_of,
    outcome_of,
    parked_of,
    snapshot_of,
    stored_form,
    writes_of,
)
from els_core.domain.arrivals import Arrival
from els_core.domain.audit import FindingKind
from els_core.domain.batches import AssignedSlot, Batch, RecordedFailure, RegistrationDetails, Status
from els_core.domain.decisions import BatchChange
from els_core.domain.errors import ProcessingError
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, FinalOutcome, Late, Parked, Reason
from tests.factories import content, failure

if TYPE_CHECKING:
    from sqlalchemy.engine import RowMapping

    from els_core.domain.outcomes import Outcome

FULL = Reason.NO_AVAILABLE_SLOT
OUTCOMES = {"assigned": Assigned("e"), "failed": Failed("e"), "excess": Excess(FULL), "late": Late(FULL)}
BATCH: dict[str, Any] = {
    "batch_id": "b",
    "status": "awaited",
    "version": 3,
    "expected_count": 0,
    "assigned_count": 0,
    "failed_count": 0,
    "deadline": None,
    "fingerprint": None,
}
DETAILS = dict.fromkeys(field.name for field in fields(RegistrationDetails))


def row(**columns: Any) -> RowMapping:
    metadata = SimpleResultMetaData(list(columns))
    return IteratorResult(metadata, iter([tuple(columns.values())])).mappings().one()


def snapshot_row(**columns: Any) -> RowMapping:
    return row(**BATCH | DETAILS | {"slots": [], "failures": []} | columns)


@pytest.mark.parametrize("status", Status)
def test_every_status_is_read(status: Status) -> None:
    assert batch_of(row(**BATCH | {"status": status.value})) == Batch("b", status, 3)


def test_a_snapshot_sorts_its_slots_by_their_status() -> None:
    slots = [
        ["e1", "available", None, None, None],
        ["e2", "assigned", "text", "a.txt", "upload"],
        ["e3", "failed", None, None, None],
    ]
    failures = [["upload:f", "e3", "f.txt", "EMPTY", "f"]]
    snapshot = snapshot_of(snapshot_row(slots=slots, failures=failures))
    assert snapshot.available == ("e1",)
    assert snapshot.assigned == (AssignedSlot("e2", "text", "a.txt", "upload"),)
    assert snapshot.all_failures == (RecordedFailure("upload:f", "e3", "f.txt", "EMPTY", "f"),)
    assert snapshot.details is None


@pytest.mark.parametrize(("kind", "outcome"), OUTCOMES.items())
def test_every_first_outcome_is_read(kind: str, outcome: FinalOutcome) -> None:
    assert outcome_of(kind, "e" if isinstance(outcome, Assigned | Failed) else FULL) == outcome


def test_no_kind_of_outcome_is_forgotten() -> None:
    assert {type(outcome) for outcome in OUTCOMES.values()} == set(get_args(FinalOutcome.__value__))


def test_a_word_that_is_not_known_raises() -> None:
    for read, word in (
        (lambda: batch_of(row(**BATCH | {"status": "paused"})), "paused"),
        (lambda: snapshot_of(snapshot_row(slots=[["e", "withheld", None, None, None]])), "withheld"),
        (lambda: outcome_of("lost", "e"), "lost"),
        (lambda: outcome_of("late", "NO_REASON"), "NO_REASON"),
        (lambda: outcome_of("excess", "NO_REASON"), "NO_REASON"),
        (lambda: finding_of(row(kind="rust", batch_id="b")), "rust"),
    ):
        with pytest.raises(ProcessingError, match=f"unknown .*'{word}'"):
            read()


@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_is_read(kind: FindingKind) -> None:
    found = finding_of(row(kind=kind.value, batch_id="b", detail="d", correlation_id="c", since=None))
    assert (found.kind, found.batch_id, found.detail, found.correlation_id) == (kind, "b", "d", "c")


@pytest.mark.parametrize("arrival", [content("a"), failure("f")])
def test_a_parked_arrival_is_read_as_it_was_stored(arrival: Arrival) -> None:
    assert arrival_of(stored_form(arrival)) == arrival


def test_no_kind_of_arrival_is_forgotten() -> None:
    assert {type(content("a")), type(failure("f"))} == set(get_args(Arrival.__value__))


@pytest.mark.parametrize(
    "stored",
    [
        {"kind": "riddle"},
        {},
        [],
        "content",
        {"kind": "content"},
        {**stored_form(failure("f")), "kind": "content"},
        {**stored_form(content("a")), "one_more": 1},
    ],
)
def test_a_stored_form_that_is_not_known_raises_and_the_arrival_stays_parked(stored: object) -> None:
    with pytest.raises(ProcessingError, match="unknown"):
        arrival_of(stored)
    assert parked_of(row(batch_id="b", identity="i", arrival=stored)).arrival is None


@pytest.mark.parametrize(
    ("arrival", "outcome", "written"),
    [
        (content("a"), Assigned("e"), {"slots": 1}),
        (failure("f"), Failed("e"), {"slots": 1, "failures": 1}),
        (content("a"), Excess(FULL), {"excess": 1}),
        (failure("f"), Late(FULL), {"failures": 1}),
        (content("a"), Parked(), {"parked": 1}),
        (content("a"), Duplicate(Assigned("e")), {}),
    ],
)
def test_each_outcome_writes_its_rows(arrival: Arrival, outcome: Outcome, written: dict[str, int]) -> None:
    before = Batch("b", Status.OPEN, 1)
    writes = writes_of([BatchChange(before, before, ((arrival, outcome),))])
    assert {name: len(rows) for name, rows in writes.items() if rows} == {**written, "batches": 1}
