"""From rows to what people read. A word that is not known raises: it must never pass for another."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from els_core.adapters.postgres.rows import batch_of
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
    Announcement,
    BatchItem,
    BatchOverview,
    BatchOwner,
    BatchTimes,
    ItemKind,
    ItemPosition,
    ListedBatch,
    OtherCounts,
    RecordedCommand,
    RejectedRegistration,
)
from els_core.domain.batches import Status
from els_core.domain.commands import CommandName, Refusal

if TYPE_CHECKING:
    from els_core.adapters.postgres.rows import Row

_OWNER = ("course_code", "user_id", "org_id", "class_id", "correlation_id")
_TIMES = ("created_at", "changed_at", "last_arrival_at")


def listed_of(row: Row) -> ListedBatch:
    """Read a batch of a list."""
    return ListedBatch(batch_of(row), _owner_of(row), _times_of(row), is_stuck=row["is_stuck"])


def overview_of(row: Row) -> BatchOverview:
    """Read where a batch stands."""
    return BatchOverview(
        batch_of(row),
        row["now"],
        _owner_of(row),
        _times_of(row),
        OtherCounts(*(row[name] for name in ("withdrawn", "late", "excess", "taken_in", "parked"))),
        row["parked_since"],
        row["unsent_since"],
        tuple(row["missing"]),
        row["digest"],
        _announcement_of(row),
        tuple(_command_of(one) for one in row["commands"]),
        tuple(
            RejectedRegistration(tuple(one["differs"]), datetime.fromisoformat(one["rejected_at"]))
            for one in row["rejected"]
        ),
        row["last_sweep"],
        row["last_relay"],
        row["redis_answered"],
    )


def item_of(row: Row) -> BatchItem:
    """Read a slot, a late failure or an excess content."""
    return BatchItem(
        ItemKind(row["kind"]),
        row["key"],
        row["identity"],
        row["original_file_name"],
        row["file_upload_id"],
        row["error_code"],
        row["reason"],
        row["at"],
        is_whole=row["is_whole"],
    )


def position_of(row: Row, epoch: int) -> ItemPosition:
    """Return where the page after an item begins."""
    return ItemPosition(epoch, row["section"], row["key"])


def history_of(row: Row) -> HistoryRow:
    """Read an entry of a history."""
    return HistoryRow(
        HistoryPosition(row["at"], row["section"], row["key"]),
        HistoryKind(row["kind"]),
        row["identity"],
        row["essay_id"],
        row["epoch"],
        Status(row["status"]) if row["status"] else None,
        CommandName(row["command"]) if row["command"] else None,
        row["reason"],
        row["by"],
        row["comment"],
        UUID(str(row["event_id"])) if row["event_id"] else None,
    )


def found_of(row: Row) -> FoundRow:
    """Read a place where an id occurs."""
    return FoundRow(
        FoundPosition(row["batch_id"], FoundKind(row["kind"]), row["identity"]),
        row["outcome"],
        row["essay_id"],
        row["reason"],
        row["at"],
    )


def _owner_of(row: Row) -> BatchOwner:
    return BatchOwner(*(row[name] for name in _OWNER))


def _times_of(row: Row) -> BatchTimes:
    return BatchTimes(*(row[name] for name in _TIMES))


def _announcement_of(row: Row) -> Announcement | None:
    if row["event_id"] is None:
        return None
    event_id = UUID(str(row["event_id"]))
    return Announcement(event_id, row["detail_type"], row["first_sent_at"], row["result_unsent_since"])


def _command_of(stored: Row) -> RecordedCommand:
    return RecordedCommand(
        stored["command_id"],
        CommandName(stored["command"]),
        Door(stored["door"]),
        stored["actor"],
        stored["reason"],
        Refusal(stored["refusal"]) if stored["refusal"] else None,
        stored["epoch"],
        stored["version"],
        datetime.fromisoformat(stored["at"]),
    )
