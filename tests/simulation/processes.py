"""The function copies of a random world, each with a clock of its own, which may be wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

from els_core.contracts.inbound import parse_arrival, parse_registration
from tests.simulation.upstream import TIMEOUT
from tests.simulation.world import Process, World

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from els_core.application.message_consumer import MessageConsumer
    from els_core.application.messages import PoisonMessage
    from els_core.application.ports.clock import Clock
    from els_core.application.post_commit import PostCommit
    from els_core.application.provision_content import ProvisioningResult
    from els_core.application.register_batch import RegistrationResult
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration


@dataclass(frozen=True, slots=True)
class SkewedClock:
    """A clock that is wrong."""

    right: Clock
    skew: timedelta

    def now(self) -> datetime:
        return self.right.now() + self.skew


class SkewedProcess(Process):
    """Composed as in AWS. The same few bodies come in every world, so reading them is remembered."""

    def __init__(self, world: World, skew: timedelta) -> None:
        super().__init__(world)
        self._skew = skew

    @cached_property
    def post_commit(self) -> PostCommit:
        right = super().post_commit
        return replace(right, clock=SkewedClock(right.clock, self._skew))

    def register_batch(self) -> MessageConsumer[Registration, RegistrationResult]:
        return replace(super().register_batch(), parse=_registration)

    def provision_content(self) -> MessageConsumer[Arrival, ProvisioningResult]:
        return replace(super().provision_content(), parse=_arrival)


@cache
def _registration(body: str) -> Registration | PoisonMessage:
    return parse_registration(body, TIMEOUT)


@cache
def _arrival(body: str) -> Arrival | PoisonMessage:
    return parse_arrival(body)
