"""In-memory tables with READ COMMITTED transactions, row locks, deadlock detection and savepoints.

A statement sees what was committed when it began, and what its own transaction wrote. A transaction holds the
rows that it writes or locks until it ends; another one that wants such a row waits, and then reads it again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from els_core.adapters.postgres.errors import ConflictError, PrecededError
from els_core.domain.errors import ProcessingError, RejectedByStoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from tests.fakes.cooperative_scheduler import CooperativeScheduler


class _Versioned(Protocol):
    def take_snapshot(self, transaction: TableTransaction) -> None: ...
    def commit(self, transaction: TableTransaction) -> None: ...
    def roll_back(self, transaction: TableTransaction) -> None: ...
    def set_savepoint(self, transaction: TableTransaction) -> Callable[[], None]: ...


class Locks:
    """The lock table: who holds each lock, and which transaction waits for which."""

    def __init__(self, scheduler: CooperativeScheduler) -> None:
        self.scheduler = scheduler
        self._holders: dict[Hashable, TableTransaction] = {}
        self._waiting: dict[TableTransaction, TableTransaction] = {}

    def holder(self, lock: Hashable) -> TableTransaction | None:
        return self._holders.get(lock)

    def acquire(self, lock: Hashable, transaction: TableTransaction) -> None:
        """Wait until the lock is free and hold it; raise `ConflictError` on a deadlock."""
        while (holder := self._holders.get(lock)) not in {None, transaction}:
            if holder is not None:
                self._wait(lock, transaction, holder)
        self._holders[lock] = transaction

    def _wait(self, lock: Hashable, transaction: TableTransaction, holder: TableTransaction) -> None:
        blocker: TableTransaction | None = holder
        while blocker is not None:
            if blocker is transaction:
                raise ConflictError("wait for a lock", service="Postgres", details="SQLSTATE 40P01")
            blocker = self._waiting.get(blocker)
        self._waiting[transaction] = holder
        try:
            self.scheduler.wait(f"lock {lock}", lambda: self._holders.get(lock) is not holder)
        finally:
            del self._waiting[transaction]

    def held_by(self, transaction: TableTransaction) -> set[Hashable]:
        return {lock for lock, holder in self._holders.items() if holder is transaction}

    def release(self, locks: set[Hashable]) -> None:
        for lock in locks:
            del self._holders[lock]


class TableTransaction:
    """One transaction on all tables of a database."""

    def __init__(self, tables: Sequence[_Versioned], locks: Locks) -> None:
        self._tables = tables
        self._is_failed = False
        self.locks = locks

    @contextmanager
    def statement(self, operation: str) -> Iterator[None]:
        """Run one statement. It yields first, and an error makes the transaction fail as a whole."""
        self.locks.scheduler.pause(operation)
        if self._is_failed:
            raise ProcessingError(operation, service="Postgres", details="SQLSTATE 25P02")
        for table in self._tables:
            table.take_snapshot(self)
        try:
            yield
        except (RejectedByStoreError, ConflictError, PrecededError):
            self._is_failed = True
            raise

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back to the start of the block when it raises, and release the locks taken inside."""
        undo = [table.set_savepoint(self) for table in self._tables]
        held = self.locks.held_by(self)
        try:
            yield
        except BaseException:
            for undo_writes in undo:
                undo_writes()
            self.locks.release(self.locks.held_by(self) - held)
            self._is_failed = False
            raise

    def commit(self) -> None:
        """Make all writes visible at once; a failed transaction is rolled back instead."""
        if self._is_failed:
            self.roll_back()
            return
        for table in self._tables:
            table.commit(self)
        self.locks.release(self.locks.held_by(self))

    def roll_back(self) -> None:
        """Discard all writes."""
        for table in self._tables:
            table.roll_back(self)
        self.locks.release(self.locks.held_by(self))


class Table[K: Hashable, R]:
    """One table by primary key, with its named constraints.

    `checks` must hold for each row. `uniques` return a value that only one row may have, or None.
    """

    def __init__(
        self,
        key: str,
        checks: Mapping[str, Callable[[R], bool]] | None = None,
        uniques: Mapping[str, Callable[[R], Hashable]] | None = None,
    ) -> None:
        self.committed: Mapping[K, R] = {}
        self._key = key
        self._checks = checks or {}
        self._uniques = uniques or {}
        self._snapshots: dict[TableTransaction, Mapping[K, R]] = {}
        self._written: dict[TableTransaction, dict[K, R | None]] = {}

    def rows(self, transaction: TableTransaction) -> dict[K, R]:
        """Return the rows that the current statement sees."""
        return self._overlaid(self._snapshots[transaction], transaction)

    def current(self, key: K, transaction: TableTransaction) -> R | None:
        """Return the latest row; the caller holds its lock."""
        written = self._written.get(transaction, {})
        return written[key] if key in written else self.committed.get(key)

    def lock(self, key: K, transaction: TableTransaction) -> R | None:
        """Lock the row (FOR UPDATE) and return its latest version."""
        transaction.locks.acquire((self._key, key), transaction)
        return self.current(key, transaction)

    def lock_if_free(self, key: K, transaction: TableTransaction) -> R | None:
        """Lock the row and return it, or None when another transaction holds it (SKIP LOCKED)."""
        if transaction.locks.holder((self._key, key)) not in {None, transaction}:
            return None
        return self.lock(key, transaction)

    def insert(self, key: K, row: R, transaction: TableTransaction) -> bool:
        """Insert the row; return False when its key exists. Waits for a concurrent insert of the same key."""
        lock = (self._key, key)
        was_held = transaction.locks.holder(lock) is transaction
        if self.lock(key, transaction) is not None:
            if not was_held:
                transaction.locks.release({lock})
            return False
        self._write(key, row, transaction)
        return True

    def insert_new(self, key: K, row: R, transaction: TableTransaction) -> None:
        """Insert the row; raise `PrecededError` when its key exists."""
        if not self.insert(key, row, transaction):
            raise violation("23505", self._key)

    def update(self, key: K, change: Callable[[R], R | None], transaction: TableTransaction) -> bool:
        """Lock a row and replace it by `change(row)`; return False when there is no row or no change."""
        row = self.lock(key, transaction)
        changed = change(row) if row is not None else None
        if changed is None:
            return False
        self._write(key, changed, transaction)
        return True

    def delete(self, key: K, transaction: TableTransaction) -> bool:
        """Lock and delete a row; return False when it does not exist."""
        if self.lock(key, transaction) is None:
            return False
        self._written.setdefault(transaction, {})[key] = None
        return True

    def take_snapshot(self, transaction: TableTransaction) -> None:
        self._snapshots[transaction] = self.committed

    def commit(self, transaction: TableTransaction) -> None:
        if self._written.get(transaction):
            self.committed = self._overlaid(self.committed, transaction)
        self.roll_back(transaction)

    def roll_back(self, transaction: TableTransaction) -> None:
        self._snapshots.pop(transaction, None)
        self._written.pop(transaction, None)

    def set_savepoint(self, transaction: TableTransaction) -> Callable[[], None]:
        before = dict(self._written.get(transaction, {}))

        def undo() -> None:
            self._written[transaction] = before

        return undo

    def _overlaid(self, rows: Mapping[K, R], transaction: TableTransaction) -> dict[K, R]:
        written = self._written.get(transaction, {})
        return {key: row for key, row in {**rows, **written}.items() if row is not None}

    def _write(self, key: K, row: R, transaction: TableTransaction) -> None:
        for name, check in self._checks.items():
            if not check(row):
                raise violation("23514", name)
        for name, unique in self._uniques.items():
            value = unique(row)
            if value is None:
                continue
            transaction.locks.acquire((name, value), transaction)
            others = self._overlaid(self.committed, transaction)
            if any(unique(other) == value for other_key, other in others.items() if other_key != key):
                raise violation("23505", name)
        self._written.setdefault(transaction, {})[key] = row


def violation(state: str, constraint: str) -> PrecededError | RejectedByStoreError:
    """Return the error that the real adapter raises for this SQLSTATE."""
    kind = PrecededError if state == "23505" else RejectedByStoreError
    return kind("write rows", service="Postgres", details=f"SQLSTATE {state}, {constraint}")
