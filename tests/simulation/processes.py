"""Function instances of the simulated environment; the clock of one may be wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, override

from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent
from els_core.application.register_batch import RegisterBatch
from els_core.bootstrap import Container
from els_core.contracts.commands import parse_command
from els_core.contracts.inbound import parse_arrival, parse_registration
from els_core.settings import Settings
from tests.fakes.failpoints import (
    FailpointClock,
    FailpointCoordinator,
    FailpointDeadLetterQueue,
    FailpointPublisher,
    FailpointRepository,
)
from tests.simulation.producer import TIMEOUT

if TYPE_CHECKING:
    from datetime import datetime

    from els_core.application.commands import CommandRequest
    from els_core.application.expire_batches import ExpireBatches
    from els_core.application.message_consumer import MessageConsumer
    from els_core.application.messages import PoisonMessage
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.messaging import DeadLetterQueue, EventBusProbe
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.application.steer_batch import SteeringResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration
    from tests.simulation.environment import Environment


PARKING = timedelta(hours=1)
# Slots of a transaction: fewer than the largest batch of a run has, but all that one batch can park.
MAX_SLOTS = 4
MAX_DRAINED = 10
SETTINGS = Settings.model_validate(
    {
        "ELS_DATABASE_URL": "postgresql+pg8000://els@nowhere/els",
        "ELS_REDIS_URL": "redis://nowhere",
        "ELS_EVENT_BUS": "nowhere",
        "ELS_PARKING_SECONDS": str(int(PARKING.total_seconds())),
    }
)


class Process(Container):
    """One function instance, composed as in AWS, with failpoints at every port."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(SETTINGS)
        self._environment = environment

    @cached_property
    @override
    def post_commit(self) -> PostCommit:
        environment = self._environment
        return PostCommit(
            FailpointCoordinator(environment.stores.coordinator, environment.injector),
            FailpointRepository(environment.stores.repository, environment.injector),
            FailpointPublisher(environment.bus, environment.injector),
            FailpointClock(environment.clock, environment.injector),
        )

    @property
    @override
    def bus_probe(self) -> EventBusProbe:
        return self._environment.bus

    @cached_property
    @override
    def dead_letter_queue(self) -> DeadLetterQueue:
        environment = self._environment
        return FailpointDeadLetterQueue(environment.dead_letters, environment.injector)


@dataclass(frozen=True, slots=True)
class SkewedClock:
    """A clock that is ahead of the right one by `skew`."""

    right: Clock
    skew: timedelta

    def now(self) -> datetime:
        return self.right.now() + self.skew


class SkewedProcess(Process):
    """A function instance with a skewed clock, whose transactions hold few slots: two batches rarely fit.

    Parsing is cached, because all runs share a few bodies.
    """

    def __init__(self, environment: Environment, skew: timedelta) -> None:
        super().__init__(environment)
        self._skew = skew

    @cached_property
    @override
    def post_commit(self) -> PostCommit:
        right = super().post_commit
        return replace(right, clock=SkewedClock(right.clock, self._skew))

    @override
    def register_batch(self) -> MessageConsumer[Registration, RegistrationResult]:
        process = RegisterBatch(self.post_commit, self.encoder, MAX_DRAINED).register
        return replace(super().register_batch(), parse=_registration, process=process)

    @override
    def provision_content(self) -> MessageConsumer[Arrival, ProvisioningResult]:
        process = ProvisionContent(self.post_commit, self.encoder, MAX_SLOTS).provision
        return replace(super().provision_content(), parse=_arrival, process=process)

    @override
    def steer_batch(self) -> MessageConsumer[CommandRequest, SteeringResult]:
        return replace(super().steer_batch(), parse=_command)

    @override
    def expire_batches(self) -> ExpireBatches:
        return replace(super().expire_batches(), max_slots=MAX_SLOTS)


@cache
def _registration(body: str) -> Registration | PoisonMessage:
    return parse_registration(body, TIMEOUT)


@cache
def _command(body: str) -> CommandRequest | PoisonMessage:
    return parse_command(body)


@cache
def _arrival(body: str) -> Arrival | PoisonMessage:
    return parse_arrival(body)
