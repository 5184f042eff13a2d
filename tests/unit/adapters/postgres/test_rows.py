"""Every word of Postgres is read, one that is not known raises, and each outcome writes its rows."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

import pytest

from els_core.adapters.postgres.rows import (
    batch_of,
    first_answer_of,
    parked_of,
    snapshot_of,
    stored_form_of,
    writes_of,
)
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    RecordedFailure,
    RegistrationDetails,
    Status,
)
from els_core.domain.decisions import BatchChange
from els_core.domain.outcomes import (
    Assigned,
    Duplicate,
    Excess,
    Failed,
    FinalOutcome,
    Late,
    Parked,
    Reason,
    Superseded,
)
from tests.factories import content, failure

if TYPE_CHECKING:
    from els_core.adapters.postgres.rows import Row
    from els_core.domain.arrivals import Arrival
    from els_core.domain.outcomes import Outcome

FULL = Reason.NO_AVAILABLE_SLOT
ANSWERS: dict[str, FinalOutcome] = {
    "assigned": Assigned("e"),
    "failed": Failed("e"),
    "excess": Excess(FULL),
    "late": Late(FULL),
    "superseded": Superseded(),
}
BATCH: dict[str, Any] = {
    "batch_id": "b",
    "status": "awaited",
    "version": 3,
    "expected_count": 0,
    "assigned_count": 0,
    "failed_count": 0,
    "deadline": None,
    "fingerprint": None,
    "epoch": 1,
}
DETAILS = dict.fromkeys(field.name for field in fields(RegistrationDetails))


def row(**columns: Any) -> Row:
    return columns


@pytest.mark.parametrize("status", Status)
def test_every_status_is_read(status: Status) -> None:
    assert batch_of(row(**BATCH | {"status": status.value})) == Batch("b", status, 3)


def test_a_snapshot_sorts_its_slots_by_their_status() -> None:
    slots = [
        ["e1", "available", None, None, None],
        ["e2", "assigned", "text", "a.txt", "upload"],
        ["e3", "failed", None, None, None],
        ["e4", "withdrawn", None, None, None],
    ]
    failures = [["upload:f", "e3", "f.txt", "EMPTY_CONTENT", "f"]]
    more = {"slots": slots, "failures": failures, "previous_event_id": str(UUID(int=1))}
    snapshot = snapshot_of(row(**BATCH | DETAILS | more))
    assert snapshot.available == ("e1",)
    assert snapshot.assigned == (AssignedSlot("e2", "text", "a.txt", "upload"),)
    assert snapshot.slot_failures == (RecordedFailure("upload:f", "e3", "f.txt", "EMPTY_CONTENT", "f"),)
    assert (snapshot.withdrawn, snapshot.previous_event_id) == (("e4",), UUID(int=1))
    assert snapshot.details is None


@pytest.mark.parametrize(("word", "answer"), ANSWERS.items())
def test_every_first_answer_is_read(word: str, answer: FinalOutcome) -> None:
    assert first_answer_of(word, "e" if isinstance(answer, Assigned | Failed) else FULL) == answer


def test_no_kind_of_first_answer_is_forgotten() -> None:
    assert {type(answer) for answer in ANSWERS.values()} == set(get_args(FinalOutcome.__value__))


def test_a_word_that_is_not_known_raises() -> None:
    for read, word in (
        (lambda: batch_of(row(**BATCH | {"status": "paused"})), "paused"),
        (lambda: first_answer_of("lost", "e"), "lost"),
        (lambda: first_answer_of("late", "NO_REASON"), "NO_REASON"),
    ):
        with pytest.raises(ValueError, match=word):
            read()


@pytest.mark.parametrize("arrival", [content("a"), failure("f")])
def test_a_parked_arrival_is_read_as_it_was_stored(arrival: Arrival) -> None:
    stored = stored_form_of(arrival)
    assert parked_of(row(batch_id="b", identity=arrival.identity, arrival=stored)).arrival == arrival


@pytest.mark.parametrize(
    "stored",
    [
        {"kind": "unheard of"},
        {},
        {"kind": "content"},
        {**stored_form_of(failure("f")), "kind": "content"},
        {**stored_form_of(content("a")), "one_more": 1},
        {**stored_form_of(content("a")), "batch_id": "c"},
        {**stored_form_of(content("a")), "text_storage_id": None},
        stored_form_of(content("b")),
        *("text", 7, None, ["content"], [["kind"]], [[[], "content"]]),
    ],
)
def test_a_stored_form_that_cannot_be_read_leaves_its_arrival_parked(stored: object) -> None:
    parked = parked_of(row(batch_id="b", identity="content:a", arrival=stored))
    assert (parked.batch_id, parked.identity, parked.arrival) == ("b", "content:a", None)


WRITES: list[tuple[Arrival, Outcome, dict[str, int]]] = [
    (content("a"), Assigned("e"), {"slots": 1}),
    (failure("f"), Failed("e"), {"slots": 1, "failures": 1}),
    (content("a"), Excess(FULL), {"excess": 1}),
    (failure("f"), Late(FULL), {"failures": 1}),
    (content("a"), Parked(), {"parked": 1}),
    (failure("f"), Parked(), {"parked": 1}),
    (content("a"), Duplicate(Assigned("e")), {}),
]


@pytest.mark.parametrize(("arrival", "outcome", "written"), WRITES)
def test_each_outcome_writes_its_rows(arrival: Arrival, outcome: Outcome, written: dict[str, int]) -> None:
    before = Batch("b", Status.OPEN, 1)
    writes = writes_of([BatchChange(before, before, ((arrival, outcome),))])
    assert {name: len(rows) for name, rows in writes.items() if rows} == {**written, "batches": 1}
