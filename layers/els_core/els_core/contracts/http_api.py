"""From what the application found to what the HTTP API answers. File names only where they are asked for."""

from dataclasses import asdict
from typing import assert_never

from els_core.application.batch_status import BatchDescription
from els_core.application.browse_batches import FoundPage, HistoryPage
from els_core.application.ports.history import FoundRow, HistoryRow
from els_core.application.ports.reading import (
    BatchItem,
    BatchOverview,
    ItemKind,
    ListedBatch,
    ListPage,
    RecordedCommand,
)
from els_core.contracts.answers import (
    Announcement,
    BatchHistory,
    BatchList,
    BatchStatusAnswer,
    BatchSummary,
    CommandRecord,
    ExcessContent,
    FailedEssay,
    FindAnswer,
    Found,
    HistoryEntry,
    LateFailure,
    ReadyEssay,
    RejectedRegistration,
)
from els_core.contracts.page_tokens import found_token, history_token, item_token, list_token


def batch_list(page: ListPage) -> BatchList:
    """Return the answer for a page of batches."""
    return BatchList(
        batches=[_summary(listed) for listed in page.batches], next_page_token=list_token(page.next_page)
    )


def batch_history(batch_id: str, page: HistoryPage) -> BatchHistory:
    """Return the answer for a page of a history."""
    return BatchHistory(
        batch_id=batch_id,
        entries=[_entry(row) for row in page.rows],
        next_page_token=history_token(page.next_page),
    )


def find_answer(searched: str, page: FoundPage) -> FindAnswer:
    """Return the answer for a page of finds."""
    found = [_found(row) for row in page.rows]
    return FindAnswer(id=searched, found=found, next_page_token=found_token(page.next_page))


def batch_status_answer(description: BatchDescription, *, with_names: bool = False) -> BatchStatusAnswer:
    """Return the answer for one batch."""
    overview, move = description.overview, description.move
    batch, counts = overview.batch, overview.counts
    answer = BatchStatusAnswer(
        batch_id=batch.batch_id,
        status=batch.status,
        sentence=move.sentence,
        mover=move.mover,
        is_stuck=move.is_stuck,
        epoch=batch.epoch,
        version=batch.version,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
        missing_count=batch.expected_count - batch.assigned_count - batch.failed_count,
        withdrawn_count=counts.withdrawn,
        late_count=counts.late,
        excess_count=counts.excess,
        reopening_takes_count=counts.taken_in,
        parked_count=counts.parked,
        parked_since=overview.parked_since,
        **asdict(overview.owner),
        deadline=batch.deadline,
        **asdict(overview.times),
        announcement=_announcement(description),
        commands=[_command(command) for command in overview.commands],
        rejected_registrations=_rejected(overview),
        digest=overview.digest,
        ready_essays=[],
        missing_essay_ids=[],
        withdrawn_essay_ids=[],
        validation_failures=[],
        late_failures=[],
        excess_contents=[],
        next_page_token=item_token(description.items.next_page),
    )
    for item in description.items.items:
        _add(answer, item, item.original_file_name if with_names else None)
    return answer


def _rejected(overview: BatchOverview) -> list[RejectedRegistration]:
    return [
        RejectedRegistration(differing_fields=list(one.differing_fields), rejected_at=one.rejected_at)
        for one in overview.rejected
    ]


def _add(answer: BatchStatusAnswer, item: BatchItem, name: str | None) -> None:
    match item.kind:
        case ItemKind.AVAILABLE:
            answer.missing_essay_ids.append(item.key)
        case ItemKind.WITHDRAWN:
            answer.withdrawn_essay_ids.append(item.key)
        case ItemKind.ASSIGNED:
            answer.ready_essays.append(_ready(item, name))
        case ItemKind.FAILED:
            answer.validation_failures.append(_failed(item, name))
        case ItemKind.LATE:
            answer.late_failures.append(_late(item, name))
        case ItemKind.EXCESS:
            answer.excess_contents.append(_excess(item, name))
        case _:
            assert_never(item.kind)


def _ready(item: BatchItem, name: str | None) -> ReadyEssay:
    return ReadyEssay(
        essay_id=item.key,
        text_storage_id=(item.identity or "").removeprefix("content:"),
        file_upload_id=item.file_upload_id,
        settled_at=item.at,
        original_file_name=name,
    )


def _failed(item: BatchItem, name: str | None) -> FailedEssay:
    return FailedEssay(
        essay_id=item.key,
        identity=item.identity or "",
        validation_error_code=item.error_code or "",
        file_upload_id=item.file_upload_id,
        settled_at=item.at,
        original_file_name=name,
    )


def _late(item: BatchItem, name: str | None) -> LateFailure:
    return LateFailure(
        identity=item.key,
        reason=item.reason or "",
        validation_error_code=item.error_code or "",
        file_upload_id=item.file_upload_id,
        recorded_at=item.at,
        original_file_name=name,
    )


def _excess(item: BatchItem, name: str | None) -> ExcessContent:
    return ExcessContent(
        text_storage_id=item.key,
        reason=item.reason or "",
        file_upload_id=item.file_upload_id,
        recorded_at=item.at,
        is_kept_whole=item.is_whole,
        original_file_name=name,
    )


def _summary(listed: ListedBatch) -> BatchSummary:
    batch, owner, times = listed.batch, listed.owner, listed.times
    return BatchSummary(
        batch_id=batch.batch_id,
        status=batch.status,
        is_stuck=listed.is_stuck,
        epoch=batch.epoch,
        version=batch.version,
        expected_count=batch.expected_count,
        assigned_count=batch.assigned_count,
        failed_count=batch.failed_count,
        course_code=owner.course_code,
        user_id=owner.user_id,
        org_id=owner.org_id,
        class_id=owner.class_id,
        deadline=batch.deadline,
        created_at=times.created_at,
        changed_at=times.changed_at,
        last_arrival_at=times.last_arrival_at,
    )


def _announcement(description: BatchDescription) -> Announcement | None:
    found = description.overview.announcement
    if found is None:
        return None
    return Announcement(
        event_id=found.event_id,
        detail_type=found.detail_type,
        first_sent_at=found.first_sent_at,
        unsent_since=found.unsent_since,
    )


def _command(command: RecordedCommand) -> CommandRecord:
    return CommandRecord(
        command_id=command.command_id,
        command=command.command,
        door=command.door,
        actor=command.actor,
        reason=command.reason,
        refusal=command.refusal,
        epoch=command.epoch,
        version=command.version,
        at=command.at,
    )


def _entry(row: HistoryRow) -> HistoryEntry:
    return HistoryEntry(
        at=row.position.at,
        kind=row.kind,
        identity=row.identity,
        essay_id=row.essay_id,
        epoch=row.epoch,
        status=row.status,
        command=row.command,
        reason=row.reason,
        by=row.by,
        comment=row.comment,
        event_id=row.event_id,
    )


def _found(row: FoundRow) -> Found:
    return Found(
        batch_id=row.position.batch_id,
        kind=row.position.kind,
        identity=row.position.identity or None,
        outcome=row.outcome,
        essay_id=row.essay_id,
        reason=row.reason,
        at=row.at,
    )
