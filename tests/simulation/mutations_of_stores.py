"""Guards of the statements and scripts, taken out of the doubles that pass their contract."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from els_core.adapters.redis import keys
from els_core.domain.batches import Status
from tests.fakes import postgres as record_module
from tests.fakes.coordinator import FakeCoordinator
from tests.fakes.recording import Recording
from tests.fakes.tables import TableTransaction
from tests.fakes.transaction import FakeTransaction
from tests.simulation.mutations import Mutation, Swap, instead, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def _seen(transaction: Any, batch_ids: Sequence[str]) -> dict[str, Any]:
    """Return the batches as the statement sees them."""
    rows = transaction._database.batches.rows(transaction._transaction)  # noqa: SLF001 - a statement reads its tables
    return {batch_id: rows[batch_id].batch for batch_id in sorted(batch_ids) if batch_id in rows}


def _not_locking(_: object) -> Callable[..., object]:
    def lock(transaction: Any, batch_ids: Sequence[str]) -> object:
        with transaction._transaction.statement("lock batches"):  # noqa: SLF001 - a statement of its transaction
            return _seen(transaction, batch_ids)

    return lock


def _locking_what_was_seen(lock: Any) -> Callable[..., object]:
    def locked(transaction: Any, batch_ids: Sequence[str]) -> object:
        lock(transaction, batch_ids)
        return _seen(transaction, batch_ids)

    return locked


def _in_the_snapshot_of_the_lock(statement: Any) -> Callable[..., object]:
    """Read the standing with the eyes of the statement that waited."""

    @contextmanager
    def run(transaction: Any, operation: str) -> Iterator[None]:
        if operation != "read the standing of arrivals":
            with statement(transaction, operation):
                yield
        else:
            transaction.locks.turns.pause(operation)
            yield

    return run


def _awaited_not_locked(lock: Any) -> Callable[..., object]:
    def locked(transaction: Any, batch_ids: Sequence[str]) -> object:
        with transaction._transaction.statement("look at batches"):  # noqa: SLF001 - a statement of its transaction
            seen = _seen(transaction, batch_ids)
        awaited = {batch_id: batch for batch_id, batch in seen.items() if batch.status is Status.AWAITED}
        others = [batch_id for batch_id in batch_ids if batch_id not in awaited]
        return {**awaited, **(lock(transaction, others) if others else {})}

    return locked


def _parking_touches_no_row(advance: Any) -> Callable[..., object]:
    return lambda recording, change, taken: (
        change.after.status is Status.AWAITED or advance(recording, change, taken)
    )


def _not_marking(announce: Any) -> Callable[..., object]:
    def announced(transaction: Any, batch_id: str, late: Sequence[Any]) -> object:
        parked = transaction._database.parked  # noqa: SLF001 - a statement writes its tables
        rows = {
            key: parked.current(key, transaction._transaction)  # noqa: SLF001
            for key in parked.rows(transaction._transaction)  # noqa: SLF001
        }
        answer = announce(transaction, batch_id, late)
        for key, row in rows.items():
            parked.update(key, lambda _, row=row: row, transaction._transaction)  # noqa: SLF001
        return answer

    return announced


def _unparking_all(_: object) -> Callable[..., None]:
    def unpark(transaction: Any, keys: Sequence[Any]) -> None:
        parked = transaction._database.parked  # noqa: SLF001 - a statement writes its tables
        with transaction._transaction.statement("remove parked arrivals"):  # noqa: SLF001
            for key in parked.rows(transaction._transaction):  # noqa: SLF001
                if key[0] in {batch_id for batch_id, _ in keys}:
                    parked.delete(key, transaction._transaction)  # noqa: SLF001

    return unpark


def _forgetting_the_closed(install: Any) -> Callable[..., None]:
    def installed(coordinator: Any, snapshot: Any, now: Any) -> None:
        install(coordinator, snapshot, now)
        if snapshot.batch.status.is_terminal:
            coordinator.memory(snapshot.batch.batch_id).lose(keys.METADATA)

    return installed


LOCK = Swap(FakeTransaction, "_lock", _not_locking)
VERSION = Swap(Recording, "is_as_locked", instead(answer=True))

STORES = (
    without(
        "the first answer of an arrival is read", 300, Swap(FakeTransaction, "_first_answer", instead(None))
    ),
    without(
        "the first answer of an excess content is read",
        300,
        Swap(FakeTransaction, "_excess_of", instead(None)),
    ),
    without("the row of a batch is locked", 300, LOCK),
    without("the row of a batch is locked, and its version is compared", 300, LOCK, VERSION),
    without(
        "the row is read as it is once it is locked",
        300,
        Swap(FakeTransaction, "_lock", _locking_what_was_seen),
    ),
    without(
        "the standing is read by a statement after the lock",
        300,
        Swap(TableTransaction, "statement", _in_the_snapshot_of_the_lock),
    ),
    without(
        "an arrival is parked beside a locked row",
        300,
        Swap(FakeTransaction, "_lock", _awaited_not_locked),
        Swap(Recording, "_advance", _parking_touches_no_row),
    ),
    without("the outbox is filled in the transaction", 300, Swap(FakeTransaction, "enqueue", instead(None))),
    without("a registration decides what was parked", 300, Swap(FakeTransaction, "parked", instead(()))),
    without("what was decided is parked no longer", 300, Swap(FakeTransaction, "unpark", instead(None))),
    without(
        "only what was decided is parked no longer", 300, Swap(FakeTransaction, "unpark", _unparking_all)
    ),
    without("overdue parked arrivals are marked", 300, Swap(FakeTransaction, "_announce", _not_marking)),
    without(
        "a savepoint undoes what was refused",
        300,
        Swap(TableTransaction, "savepoint", lambda _: lambda _self: nullcontext()),
    ),
    without(
        "an older state is not installed over a newer one",
        300,
        Swap(FakeCoordinator, "is_newer", instead(answer=False)),
    ),
    without(
        "Redis remembers the version of a closed batch",
        300,
        Swap(FakeCoordinator, "_install", _forgetting_the_closed),
    ),
    Mutation(
        "the version of a row is compared (record)", 300, (VERSION,), held_by="the row of a batch is locked"
    ),
    Mutation(
        "a slot is taken only where it is available (record)",
        300,
        (Swap(Recording, "is_available", instead(answer=True)),),
        held_by="it is read and decided under the lock of the batch",
    ),
    Mutation(
        "a commit whose answer is lost is tried again",
        300,
        (Swap(record_module, "ATTEMPTS", lambda _: 1),),
        held_by="the message comes back, and the relay sends",
    ),
)
