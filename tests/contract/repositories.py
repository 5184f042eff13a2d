"""The repository under test, fake and real, with other connections, other times and concurrency."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import text

from els_core.adapters.postgres.connection import connect
from els_core.adapters.postgres.repository import PostgresRepository
from els_core.adapters.postgres.session import Session
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import CooperativeScheduler
from tests.fakes.postgres import FakePostgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from sqlalchemy import Engine

    from els_core.application.ports.repository import Repository, Transaction

type Work = Callable[[Transaction], object]
type CrossWork = Callable[[Transaction, Callable[[], None]], object]


class RepositoryUnderTest(Protocol):
    """A repository with control over its connections, its time and its locks."""

    def repository(self) -> Repository:
        """Return a repository with connections of its own, as another process has it."""
        ...

    def advance(self, span: timedelta) -> None:
        """Let this much time pass."""
        ...

    def make_unreadable(self, identity: str) -> None:
        """Make the stored form of a parked arrival unreadable."""
        ...

    def hold_while_waiting(self, hold: Work, wait: Work) -> None:
        """Run `hold`, which takes a lock, and commit it only when `wait` is blocked by that lock."""
        ...

    def cross(self, one: CrossWork, other: CrossWork) -> None:
        """Run two transactions at once; each calls the function that it gets to wait for the other."""
        ...


class FakeRepositoryUnderTest:
    """The fake, with its clock and its scheduler."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.scheduler = CooperativeScheduler()
        self._fake = FakePostgres(self.clock, self.scheduler)

    def repository(self) -> Repository:
        return self._fake

    def advance(self, span: timedelta) -> None:
        self.clock.advance(span)

    def make_unreadable(self, identity: str) -> None:
        transaction = self._fake.database.begin()
        with transaction.statement("spoil"):
            parked = self._fake.database.parked
            for key in [key for key in parked.rows(transaction) if key[1] == identity]:
                parked.update(key, lambda row: replace(row, is_readable=False), transaction)
        transaction.commit()

    def hold_while_waiting(self, hold: Work, wait: Work) -> None:
        def held(transaction: Transaction) -> None:
            hold(transaction)
            waiting = self.scheduler.spawn("wait", lambda: self._fake.transact(wait))
            self.scheduler.wait("hold", lambda: waiting.at.startswith("lock ("))

        self.scheduler.spawn("hold", lambda: self._fake.transact(held))
        self.scheduler.run(lambda ready: ready[0])

    def cross(self, one: CrossWork, other: CrossWork) -> None:
        arrived: list[int] = []

        def meet() -> None:
            arrived.append(1)
            self.scheduler.wait("meet", lambda: len(arrived) >= 2)

        self.scheduler.spawn("one", lambda: self._fake.transact(lambda transaction: one(transaction, meet)))
        self.scheduler.spawn(
            "other", lambda: self._fake.transact(lambda transaction: other(transaction, meet))
        )
        self.scheduler.run(lambda ready: ready[0])


AGE = text("""
WITH span AS (SELECT CAST(:span AS interval) AS t), batches AS (
    UPDATE batches
    SET deadline = deadline - t, created_at = created_at - t, changed_at = changed_at - t FROM span
), parked AS (
    UPDATE parked_arrivals SET parked_at = parked_at - t, announced_at = announced_at - t FROM span
)
UPDATE outbox SET created_at = created_at - t FROM span
""")
BLOCKED_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name"


def age(engine: Engine, span: timedelta) -> None:
    """Make every stored timestamp older by `span`, which to Postgres is the same as time that passes."""
    with engine.begin() as connection:
        connection.execute(AGE, {"span": span})


class PostgresRepositoryUnderTest:
    """The real adapter on Postgres."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = connect(url)
        self._sessions: list[Session] = []

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self.engine.dispose()

    def repository(self) -> Repository:
        session = Session(connect(self.url))
        self._sessions.append(session)
        return PostgresRepository(session)

    def advance(self, span: timedelta) -> None:
        age(self.engine, span)

    def make_unreadable(self, identity: str) -> None:
        with self.engine.begin() as connection:
            sql = 'UPDATE parked_arrivals SET arrival = \'{"kind": "unknown"}\' WHERE identity = :identity'
            connection.execute(text(sql), {"identity": identity})

    def hold_while_waiting(self, hold: Work, wait: Work) -> None:
        holder, waiter = self.repository(), self.repository()
        with ThreadPoolExecutor(1) as pool:

            def held(transaction: Transaction) -> None:
                hold(transaction)
                waiting.append(pool.submit(waiter.transact, wait))
                self._wait_for_a_blocked_session()

            waiting: list[object] = []
            holder.transact(held)

    def _wait_for_a_blocked_session(self) -> None:
        for _ in range(1_000):
            with self.engine.begin() as connection:
                if connection.execute(text(BLOCKED_SESSIONS), {"name": self.engine.url.database}).scalar():
                    return
            Event().wait(0.005)
        raise AssertionError("no session is blocked by the lock")

    def cross(self, one: CrossWork, other: CrossWork) -> None:
        barrier = Barrier(2)

        def run(work: CrossWork) -> None:
            is_first = [True]

            def meet() -> None:
                if is_first.pop() if is_first else False:
                    barrier.wait(30)

            self.repository().transact(lambda transaction: work(transaction, meet))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, (one, other)))
