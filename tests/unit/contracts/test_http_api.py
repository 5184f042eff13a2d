"""What the HTTP API answers about batches: every field, and file names only where they are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from els_core.application.batch_status import BatchDescription
from els_core.application.browse_batches import FoundPage, HistoryPage
from els_core.application.commands import Door
from els_core.application.ports.history import (
    FoundKind,
    FoundPosition,
    FoundRow,
    HistoryKind,
    HistoryPosition,
    HistoryRow,
)
from els_core.application.ports.reading import (
    BatchItem,
    BatchItems,
    BatchOwner,
    BatchTimes,
    ItemKind,
    ItemPosition,
    ListedBatch,
    ListPage,
    ListPosition,
    OtherCounts,
    RecordedCommand,
    RejectedRegistration,
)
from els_core.application.sentences import Move, Mover
from els_core.contracts.answers import BatchStatusAnswer, BatchSummary
from els_core.contracts.http_api import batch_history, batch_list, batch_status_answer, find_answer
from els_core.contracts.page_tokens import found_token, history_token, item_token, list_token
from els_core.domain.batches import Status
from els_core.domain.commands import CommandName, Refusal
from tests.factories import NOW, batch
from tests.unit.application.reading import SENT, overview_of

OWNER = BatchOwner("ENG5", "user", "org", "class", "correlation")
TIMES = BatchTimes(NOW, NOW + timedelta(hours=1), NOW + timedelta(minutes=2))
ITEMS = [
    BatchItem(ItemKind.ASSIGNED, "e1", "content:c", "c.txt", "up", at=NOW),
    BatchItem(ItemKind.FAILED, "e2", "upload:f", "f.txt", "f", "EMPTY_CONTENT", at=NOW),
    BatchItem(ItemKind.AVAILABLE, "e3"),
    BatchItem(ItemKind.WITHDRAWN, "e4"),
    BatchItem(ItemKind.LATE, "event:g", "event:g", "g.txt", None, "EMPTY_CONTENT", "BATCH_CANCELLED", NOW),
    BatchItem(
        ItemKind.EXCESS, "x", "content:x", "x.txt", None, None, "NO_AVAILABLE_SLOT", NOW, is_whole=True
    ),
]
COMMAND = RecordedCommand("k", CommandName.CLOSE, Door.API, "teacher", "ill", Refusal.EMPTY, 1, 3, NOW)


def description() -> BatchDescription:
    overview = replace(
        overview_of(batch(Status.OPEN, 3, 1, 1), SENT),
        owner=OWNER,
        times=TIMES,
        counts=OtherCounts(1, 2, 3, 4, 5),
        parked_since=NOW,
        digest="digest",
        commands=(COMMAND,),
        rejected=(RejectedRegistration(("course_code",), NOW),),
    )
    move = Move(Mover.UPSTREAM, "one sentence", is_stuck=True)
    return BatchDescription(overview, move, BatchItems(ITEMS, ItemPosition(1, 3, "x")))


TOLD = {
    "batch_id": "b",
    "status": "open",
    "sentence": "one sentence",
    "mover": "upstream",
    "is_stuck": True,
    "epoch": 1,
    "version": 1,
    "expected_count": 3,
    "assigned_count": 1,
    "failed_count": 1,
    "missing_count": 1,
    "withdrawn_count": 1,
    "late_count": 2,
    "excess_count": 3,
    "reopening_takes_count": 4,
    "parked_count": 5,
    "parked_since": "2026-01-31T12:00:00Z",
    "course_code": "ENG5",
    "user_id": "user",
    "org_id": "org",
    "class_id": "class",
    "correlation_id": "correlation",
    "deadline": "2026-01-31T13:00:00Z",
    "created_at": "2026-01-31T12:00:00Z",
    "changed_at": "2026-01-31T13:00:00Z",
    "last_arrival_at": "2026-01-31T12:02:00Z",
    "digest": "digest",
    "next_page_token": item_token(ItemPosition(1, 3, "x")),
}


def test_an_answer_has_every_field_of_the_batch() -> None:
    told = batch_status_answer(description(), with_names=True).model_dump(mode="json")
    lists = {name: told.pop(name) for name in list(told) if isinstance(told[name], list)}
    assert told["announcement"]["event_id"] == str(UUID(int=1))
    assert {name: value for name, value in told.items() if name != "announcement"} == TOLD
    assert {name: len(rows) for name, rows in lists.items()} == dict.fromkeys(
        (
            *("commands", "rejected_registrations", "ready_essays", "missing_essay_ids"),
            *("withdrawn_essay_ids", "validation_failures", "late_failures", "excess_contents"),
        ),
        1,
    )
    assert lists["ready_essays"][0]["text_storage_id"] == "c"
    assert lists["validation_failures"][0]["identity"] == "upload:f"
    assert lists["excess_contents"][0]["is_kept_whole"] is True
    assert lists["commands"][0]["refusal"] == "EMPTY"
    assert lists["rejected_registrations"][0]["differing_fields"] == ["course_code"]


def names_in(answer: BatchStatusAnswer) -> set[str | None]:
    lists = (answer.ready_essays, answer.validation_failures, answer.late_failures, answer.excess_contents)
    return {one.original_file_name for rows in lists for one in rows}


def test_file_names_stand_only_where_they_are_asked_for() -> None:
    assert names_in(batch_status_answer(description())) == {None}
    full = batch_status_answer(description(), with_names=True)
    assert names_in(full) == {"c.txt", "f.txt", "g.txt", "x.txt"}
    assert ".txt" not in batch_status_answer(description()).model_dump_json()


def test_a_list_has_every_field_of_a_summary_and_says_where_it_goes_on() -> None:
    listed = ListedBatch(batch(Status.OPEN, 3, 1, 1), OWNER, TIMES, is_stuck=True)
    position = ListPosition(NOW, "b")
    told = batch_list(ListPage([listed], position))
    assert told.next_page_token == list_token(position)
    [summary] = told.batches
    assert None not in [value for _, value in summary]
    assert set(summary.model_dump()) == set(BatchSummary.model_fields)


def test_a_history_and_finds_carry_their_rows() -> None:
    row = HistoryRow(
        HistoryPosition(NOW, 3, "k"), HistoryKind.COMMANDED, command=CommandName.CLOSE, by="teacher"
    )
    told = batch_history("b", HistoryPage([row], row.position))
    assert (told.entries[0].kind, told.entries[0].by) == (HistoryKind.COMMANDED, "teacher")
    assert told.next_page_token == history_token(row.position)
    found = FoundRow(FoundPosition("b", FoundKind.BATCH, ""), "open", at=NOW)
    answer = find_answer("b", FoundPage([found], found.position))
    assert (answer.found[0].identity, answer.found[0].outcome) == (None, "open")
    assert answer.next_page_token == found_token(found.position)
