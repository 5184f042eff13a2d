"""What follows a commit: Redis is told, the bus is served; losing it costs time, never a promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.domain.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from els_core.application.ports import Clock, Coordinator, Publisher, Repository
    from els_core.domain.batches import Roll
    from els_core.domain.events import Message


@dataclass(frozen=True, slots=True)
class Delivered:
    """How much was sent and left behind; `faults` says why, for the log."""

    sent: int = 0
    left: int = 0
    faults: tuple[FaultError, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Tells Redis and serves the bus after a commit."""

    coordinator: Coordinator
    repository: Repository
    publisher: Publisher
    clock: Clock

    def deliver(self, rolls: Iterable[Roll], messages: Sequence[Message]) -> Delivered:
        """Tell Redis the rolls and send the messages; what fails is left to the next one and the relay."""
        faults: list[FaultError] = []
        told = list(rolls)
        try:
            if told:
                self.coordinator.install(told, self.clock.now())
        except FaultError as fault:
            faults.append(fault)
        sent = 0
        try:
            sent = self.send(messages)
        except FaultError as fault:
            faults.append(fault)
        return Delivered(sent, len(messages) - sent, tuple(faults))

    def send(self, messages: Sequence[Message]) -> int:
        """Send messages of the outbox and delete those that the bus took; return how many."""
        taken = self.publisher.publish(messages) if messages else []
        if taken:
            self.repository.forget(taken)
        return len(taken)
