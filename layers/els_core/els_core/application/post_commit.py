"""Refreshes Redis and publishes after a commit. If it is lost, the relay and the next event catch up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.domain.errors import FaultError, PartiallySentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator
    from els_core.application.ports.messaging import Publisher
    from els_core.application.ports.repository import Repository
    from els_core.domain.batches import BatchSnapshot
    from els_core.domain.events import OutboxMessage


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How many events the bus accepted and how many stay in the outbox; `faults` says why."""

    sent: int = 0
    unsent: int = 0
    faults: tuple[FaultError, ...] = ()


@dataclass(frozen=True, slots=True)
class PostCommit:
    """What follows a commit. Nothing here decides anything, so every step may fail or be lost."""

    coordinator: Coordinator
    repository: Repository
    publisher: Publisher
    clock: Clock

    def run(self, snapshots: Iterable[BatchSnapshot], messages: Sequence[OutboxMessage]) -> PublishResult:
        """Refresh Redis and publish; what fails is left to the next event and the relay."""
        faults: list[FaultError] = []
        outdated = list(snapshots)
        try:
            if outdated:
                self.coordinator.install(outdated, self.clock.now())
        except FaultError as fault:
            faults.append(fault)
        try:
            result = self.publish(messages)
        except FaultError as fault:
            result = PublishResult(0, len(messages), (fault,))
        return PublishResult(result.sent, result.unsent, (*faults, *result.faults))

    def publish(self, messages: Sequence[OutboxMessage]) -> PublishResult:
        """Publish outbox messages and delete those that the bus accepted; raise if it accepted none."""
        accepted: Sequence[UUID]
        faults: tuple[FaultError, ...] = ()
        try:
            accepted = self.publisher.publish(messages) if messages else []
        except PartiallySentError as fault:
            accepted, faults = fault.accepted, (fault,)
        if accepted:
            self.repository.delete_sent(accepted)
        return PublishResult(len(accepted), len(messages) - len(accepted), faults)
