"""Tables with transactions as READ COMMITTED has them.

A statement sees what was committed when it began, and what its own transaction wrote. Rows that a transaction
writes or locks are its own until it ends; who wants one waits, and then meets the row as it is by then.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from els_core.adapters.postgres.errors import ConflictError, PrecededError
from els_core.domain.errors import ProcessingError, RejectedByStoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from tests.fakes.cooperative_scheduler import Turns


class _Versioned(Protocol):
    def look(self, transaction: TableTransaction) -> None: ...
    def publish(self, transaction: TableTransaction) -> None: ...
    def discard(self, transaction: TableTransaction) -> None: ...
    def mark(self, transaction: TableTransaction) -> Callable[[], None]: ...


class Locks:
    """Who holds what, and who waits for whom."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._holders: dict[Hashable, TableTransaction] = {}
        self._waiting: dict[TableTransaction, TableTransaction] = {}

    def holder(self, lock: Hashable) -> TableTransaction | None:
        return self._holders.get(lock)

    def take(self, lock: Hashable, transaction: TableTransaction) -> None:
        """Wait until the lock is free and hold it; raise `ConflictError` when that would never be."""
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
            self.turns.wait(f"lock {lock}", lambda: self._holders.get(lock) is not holder)
        finally:
            del self._waiting[transaction]

    def held(self, transaction: TableTransaction) -> set[Hashable]:
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
        """Run one statement: others may run before it, and an error spoils the transaction."""
        self.locks.turns.pause(operation)
        if self._is_failed:
            raise ProcessingError(operation, service="Postgres", details="SQLSTATE 25P02")
        for table in self._tables:
            table.look(self)
        try:
            yield
        except (RejectedByStoreError, ConflictError, PrecededError):
            self._is_failed = True
            raise

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is written inside when it raises, and free what was locked inside."""
        undo = [table.mark(self) for table in self._tables]
        held = self.locks.held(self)
        try:
            yield
        except BaseException:
            for table_undo in undo:
                table_undo()
            self.locks.release(self.locks.held(self) - held)
            self._is_failed = False
            raise

    def commit(self) -> None:
        """Make everything visible at once; a failed transaction is rolled back instead."""
        if self._is_failed:
            self.roll_back()
            return
        for table in self._tables:
            table.publish(self)
        self.locks.release(self.locks.held(self))

    def roll_back(self) -> None:
        """Undo everything."""
        for table in self._tables:
            table.discard(self)
        self.locks.release(self.locks.held(self))


class Table[K: Hashable, R]:
    """One table by primary key, with its constraints by name.

    `checks` hold for each row; `uniques` give a value that at most one row has, or None.
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
        self._seen: dict[TableTransaction, Mapping[K, R]] = {}
        self._written: dict[TableTransaction, dict[K, R | None]] = {}

    def rows(self, transaction: TableTransaction) -> dict[K, R]:
        """Return what the current statement sees."""
        return self._overlaid(self._seen[transaction], transaction)

    def current(self, key: K, transaction: TableTransaction) -> R | None:
        """Return the row as it is now, for who holds its lock."""
        written = self._written.get(transaction, {})
        return written[key] if key in written else self.committed.get(key)

    def lock(self, key: K, transaction: TableTransaction) -> R | None:
        """Wait for the row, hold it and return it as it is by then."""
        transaction.locks.take((self._key, key), transaction)
        return self.current(key, transaction)

    def lock_if_free(self, key: K, transaction: TableTransaction) -> R | None:
        """Hold the row and return it, or None when another holds it (SKIP LOCKED)."""
        if transaction.locks.holder((self._key, key)) not in {None, transaction}:
            return None
        return self.lock(key, transaction)

    def insert(self, key: K, row: R, transaction: TableTransaction) -> bool:
        """Insert, or tell that the key is there already; waits for who is inserting the same."""
        lock = (self._key, key)
        was_held = transaction.locks.holder(lock) is transaction
        if self.lock(key, transaction) is not None:
            if not was_held:
                transaction.locks.release({lock})
            return False
        self._write(key, row, transaction)
        return True

    def insert_new(self, key: K, row: R, transaction: TableTransaction) -> None:
        """Insert, or raise `PrecededError` when the key is there already."""
        if not self.insert(key, row, transaction):
            raise violation("23505", self._key)

    def update(self, key: K, change: Callable[[R], R | None], transaction: TableTransaction) -> bool:
        """Change a row as it is once it is free; tell whether it was there and `change` wanted it."""
        row = self.lock(key, transaction)
        changed = change(row) if row is not None else None
        if changed is None:
            return False
        self._write(key, changed, transaction)
        return True

    def delete(self, key: K, transaction: TableTransaction) -> bool:
        """Delete a row once it is free; tell whether it was there."""
        if self.lock(key, transaction) is None:
            return False
        self._written.setdefault(transaction, {})[key] = None
        return True

    def look(self, transaction: TableTransaction) -> None:
        self._seen[transaction] = self.committed

    def publish(self, transaction: TableTransaction) -> None:
        if self._written.get(transaction):
            self.committed = self._overlaid(self.committed, transaction)
        self.discard(transaction)

    def discard(self, transaction: TableTransaction) -> None:
        self._seen.pop(transaction, None)
        self._written.pop(transaction, None)

    def mark(self, transaction: TableTransaction) -> Callable[[], None]:
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
            transaction.locks.take((name, value), transaction)
            others = self._overlaid(self.committed, transaction)
            if any(unique(other) == value for other_key, other in others.items() if other_key != key):
                raise violation("23505", name)
        self._written.setdefault(transaction, {})[key] = row


def violation(state: str, constraint: str) -> PrecededError | RejectedByStoreError:
    """Return the fault that a violated constraint is."""
    kind = PrecededError if state == "23505" else RejectedByStoreError
    return kind("write rows", service="Postgres", details=f"SQLSTATE {state}, {constraint}")
