"""What the status of a batch reads, on the fake tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.application.ports.repository import (
    Announcement,
    BatchOverview,
    LateFailure,
    PagePosition,
    StatusItems,
)
from els_core.domain.batches import FreeSlot, digest_of
from tests.fakes.snapshots import snapshot_of

if TYPE_CHECKING:
    from els_core.application.ports.repository import StatusItem
    from els_core.domain.batches import BatchSnapshot
    from tests.fakes.rows import Database
    from tests.fakes.tables import TableTransaction

ITEM_BYTES = 300  # beside its key and its file name


def overview_of(
    database: Database, transaction: TableTransaction, batch_id: str, named: int
) -> BatchOverview | None:
    """Return where a batch stands."""
    snapshot = _snapshot(database, transaction, batch_id)
    if snapshot is None:
        return None
    parked = [row for row in database.parked.rows(transaction).values() if row.arrival.batch_id == batch_id]
    runs = database.runs.rows(transaction)
    return BatchOverview(
        snapshot.batch,
        database.clock.now(),
        snapshot.available[:named],
        len(_late(database, transaction, batch_id)),
        len(parked),
        min((row.parked_at for row in parked), default=None),
        digest_of(snapshot.assigned),
        _announcement(database, transaction, batch_id),
        runs.get("expire_batches"),
        runs.get("publish_outbox"),
        snapshot.details.correlation_id if snapshot.details else None,
        runs.get("reach_redis"),
    )


def items_of(
    database: Database, transaction: TableTransaction, batch_id: str, position: PagePosition, max_bytes: int
) -> StatusItems:
    """Return a page of slots and late failures."""
    snapshot = _snapshot(database, transaction, batch_id)
    slots: list[tuple[PagePosition, StatusItem]] = []
    if snapshot is not None:
        slots.extend((PagePosition(1, slot), FreeSlot(slot)) for slot in snapshot.available)
        slots.extend((PagePosition(1, slot.essay_id), slot) for slot in snapshot.assigned)
        slots.extend((PagePosition(1, slot.essay_id), slot) for slot in snapshot.slot_failures)
    late = [(PagePosition(2, one.identity), one) for one in _late(database, transaction, batch_id)]
    every = sorted((*slots, *late), key=lambda pair: (pair[0].section, pair[0].after))
    left = [pair for pair in every if (pair[0].section, pair[0].after) > (position.section, position.after)]
    page: list[StatusItem] = []
    size = 0
    for at, item in left:
        if size < max_bytes:
            page.append(item)
            name = "" if isinstance(item, FreeSlot) else item.original_file_name
            size += ITEM_BYTES + len(at.after) + len(name.encode())
    return StatusItems(page, is_last=len(page) == len(left))


def _snapshot(database: Database, transaction: TableTransaction, batch_id: str) -> BatchSnapshot | None:
    row = database.batches.rows(transaction).get(batch_id)
    if row is None:
        return None
    essays = database.essays.rows(transaction).values()
    return snapshot_of(row, essays, database.failures.rows(transaction).values())


def _late(database: Database, transaction: TableTransaction, batch_id: str) -> list[LateFailure]:
    return [
        LateFailure(
            row.failure.identity,
            row.failure.original_file_name,
            row.failure.error_code,
            row.failure.file_upload_id,
        )
        for row in database.failures.rows(transaction).values()
        if row.failure.batch_id == batch_id and row.essay_id is None
    ]


def _announcement(database: Database, transaction: TableTransaction, batch_id: str) -> Announcement | None:
    batch = database.batches.rows(transaction)[batch_id].batch
    epoch = database.epochs.rows(transaction).get((batch_id, str(batch.epoch)))
    if epoch is None:
        return None
    waiting = database.outbox.rows(transaction).get(str(epoch.message.event_id))
    since = waiting.created_at if waiting else None
    return Announcement(epoch.message.event_id, epoch.message.detail_type, epoch.first_sent_at, since)
