"""The other traced servers. Each answer is delayed by one more yield, and a timed-out request still runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, override

from els_core.domain.outcomes import Proposal, ProposalKind
from tests.fakes.bus import FakeBus
from tests.fakes.coordinator import FakeCoordinator
from tests.fakes.queues import FakeDeadLetterQueue
from tests.simulation.messages import REJECTED_UNLESS_PARKED
from tests.simulation.observer import answer_later
from tests.simulation.stores import FakeStores
from tests.simulation.traced_postgres import TracedPostgres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from dev.invariants.evidence import BatchEvidence
    from els_core.application.budgets import MayContinue
    from els_core.application.messages import DeadLetter
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import CoordinatorUpdate
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.events import OutboxMessage
    from tests.simulation.observer import Observer


class TracedCoordinator(FakeCoordinator):
    """Redis, which may answer wrongly; by itself it must never return to an older version of a batch."""

    def __init__(self, clock: Clock, observer: Observer, pick: Callable[[set[str]], str]) -> None:
        super().__init__(clock, observer.scheduler, pick=pick)
        self._observer = observer
        self.answers_wrongly = False

    @override
    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        propose = super().propose
        proposals = answer_later(self._observer, "propose", lambda: propose(arrivals, now))
        if self.answers_wrongly:
            proposals = [self._random_proposal() for _ in arrivals]
        for arrival, proposal in zip(arrivals, proposals, strict=True):
            self._observer.log(
                "is proposed: {} {} {} {}",
                arrival.batch_id,
                arrival.identity,
                proposal.kind.value,
                proposal.essay_id or "",
            )
        return proposals

    def _random_proposal(self) -> Proposal:
        kind = self._observer.choices.one_of(list(ProposalKind))
        version = self._observer.choices.one_of([None, 1, 3, 10**6])
        match kind:
            case ProposalKind.ASSIGNED | ProposalKind.FAILED | ProposalKind.DUPLICATE:
                return Proposal(kind, f"essay-{self._observer.choices.below(6)}", version)
            case ProposalKind.FULL | ProposalKind.UNKNOWN:
                return Proposal(kind, None, version)
            case _:
                assert_never(kind)

    @override
    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        install = super().install
        answer_later(self._observer, "install", lambda: install(updates, now))

    @override
    def _install(self, update: CoordinatorUpdate, now: datetime) -> None:
        batch = update.snapshot.batch
        before = self.keys_of(batch.batch_id).metadata
        self._observer.log("installs {} v{} {}", batch.batch_id, batch.version, batch.status.value)
        super()._install(update, now)
        after = self.keys_of(batch.batch_id).metadata
        if before is not None and (after is None or after.version < before.version):
            what = f"Redis had version {before.version} and went back to {after and after.version}"
            self._observer.fail(10, batch.batch_id, what)
        if after is None and batch.is_registered:
            self._observer.fail(10, batch.batch_id, "Redis does not have the batch that was just installed")


class TracedBus(FakeBus):
    """The bus."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer.scheduler)
        self._observer = observer

    @override
    def publish(self, messages: Sequence[OutboxMessage], may_continue: MayContinue) -> list[UUID]:
        publish = super().publish
        accepted = answer_later(self._observer, "publish", lambda: publish(messages, may_continue))
        for message in messages:
            verb = "publishes" if message.event_id in accepted else "cannot publish"
            self._observer.log("{} {} of {}", verb, message.detail_type, message.batch_id)
        return accepted


class TracedDeadLetterQueue(FakeDeadLetterQueue):
    """The dead-letter queues."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer.scheduler)
        self._observer = observer

    @override
    def send(self, letters: Sequence[DeadLetter]) -> list[str]:
        send = super().send
        accepted = answer_later(self._observer, "send dead letters", lambda: send(letters))
        for letter in letters:
            message_id, error_code = letter.message.message_id, letter.poison.error_code
            self._observer.log("dead-letters {}: {}", message_id, error_code)
        return accepted


class TracedStores(FakeStores):
    """Traced Postgres and Redis."""

    repository: TracedPostgres
    redis: TracedCoordinator

    def __init__(self, observer: Observer, pick: Callable[[set[str]], str]) -> None:
        super().__init__(observer.scheduler)
        self.repository = TracedPostgres(self.clock, observer)
        self.coordinator = self.redis = TracedCoordinator(self.clock, observer, pick)

    @override
    def batches(self) -> dict[str, BatchEvidence]:
        return {
            batch_id: self.evidence_of(batch_id) for batch_id in self.repository.database.batches.committed
        }

    def evidence_of(self, batch_id: str) -> BatchEvidence:
        """Return all that is committed of one batch, without arrivals that stay parked for good."""
        found = self._evidence_of(batch_id)
        undecidable = {identity for owner, identity in self.undecidable() if owner == batch_id}
        return replace(found, parked=found.parked - undecidable) if undecidable else found

    def undecidable(self) -> set[ArrivalKey]:
        """Return the parked arrivals that Postgres will always reject when they are decided."""
        rows = self.repository.database.parked.committed
        return {key for key, row in rows.items() if row.arrival.original_file_name == REJECTED_UNLESS_PARKED}
