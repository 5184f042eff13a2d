"""What follows a commit: Redis is told, the bus is served; losing it costs time, never a promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.domain.errors import FaultError, PartlySentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

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
        try:
            sent = self.send(messages)
        except FaultError as fault:
            sent = Delivered(0, len(messages), (fault,))
        return Delivered(sent.sent, sent.left, (*faults, *sent.faults))

    def send(self, messages: Sequence[Message]) -> Delivered:
        """Send messages of the outbox and delete those that the bus took; raise if it took none of them."""
        taken: Sequence[UUID]
        refusals: tuple[FaultError, ...] = ()
        try:
            taken = self.publisher.publish(messages) if messages else []
        except PartlySentError as refusal:
            taken, refusals = refusal.taken, (refusal,)
        if taken:
            self.repository.forget(taken)
        return Delivered(len(taken), len(messages) - len(taken), refusals)
