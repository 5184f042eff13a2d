"""Refreshes Redis and publishes after a commit. If it is lost, the relay and the next event catch up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from els_core.application.budgets import MAX_SLOTS, always
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.domain.errors import FaultError, PartiallySentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from els_core.application.budgets import MayContinue
    from els_core.application.decision_step import Decision
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator
    from els_core.application.ports.messaging import Publisher
    from els_core.application.ports.repository import Repository
    from els_core.domain.events import OutboxMessage

# Batches of the largest size that one read of snapshots may hold.
REFRESHED_AT_ONCE = MAX_SLOTS // 2_000


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How many events the bus accepted and how many stay in the outbox; `faults` says why.

    `result_latencies` say how long each final result that was sent for the first time had to wait.
    """

    sent: int = 0
    unsent: int = 0
    faults: tuple[FaultError, ...] = ()
    result_latencies: tuple[timedelta, ...] = ()


@dataclass(frozen=True, slots=True)
class PostCommit:
    """What follows a commit. Nothing here decides anything, so every step may fail or be lost."""

    coordinator: Coordinator
    repository: Repository
    publisher: Publisher
    clock: Clock

    def run(self, decision: Decision, may_continue: MayContinue = always) -> PublishResult:
        """Refresh Redis and publish; what fails is left to the next event and the relay."""
        faults: list[FaultError] = []
        try:
            if decision.updates:
                self.coordinator.install(decision.updates, self.clock.now())
        except FaultError as fault:
            faults.append(fault)
        try:
            result = self.publish(decision.messages, may_continue)
        except FaultError as fault:
            result = PublishResult(0, len(decision.messages), (fault,))
        try:
            self._refresh(decision.refresh_later if not faults else (), may_continue)
        except FaultError as fault:
            faults.append(fault)
        return replace(result, faults=(*faults, *result.faults))

    def publish(self, messages: Sequence[OutboxMessage], may_continue: MayContinue = always) -> PublishResult:
        """Publish outbox messages, final results first, and delete those that the bus accepted.

        What was sent counts as sent also when it could not be deleted; then the relay sends it again, with
        the same id. Raises a fault when the bus accepted none.
        """
        ordered = sorted(messages, key=lambda message: not message.is_final)
        faults: tuple[FaultError, ...] = ()
        try:
            accepted = set(self.publisher.publish(ordered, may_continue)) if ordered else set()
        except PartiallySentError as fault:
            accepted, faults = set(fault.accepted), (fault,)
        sent = [message.position for message in ordered if message.event_id in accepted]
        positions = [position for position in sent if position is not None]
        unsent = len(messages) - len(sent)
        try:
            waited = self.repository.delete_sent(positions) if positions else []
        except FaultError as fault:
            return PublishResult(len(sent), unsent, (*faults, fault))
        return PublishResult(len(sent), unsent, faults, tuple(waited))

    def _refresh(self, batch_ids: Sequence[str], may_continue: MayContinue) -> None:
        """Read batches page by page, each at its own version, and write them to Redis."""
        for start in range(0, len(batch_ids), REFRESHED_AT_ONCE):
            if not may_continue():
                break
            page = self.repository.snapshots(batch_ids[start : start + REFRESHED_AT_ONCE])
            self.coordinator.install([CoordinatorUpdate(found) for found in page], self.clock.now())
