"""Give every content exactly one slot and count every failure, in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from els_core.application.delivering import Delivered
from els_core.application.settling import Refused, Settled, Settling
from els_core.domain.arrivals import key_of
from els_core.domain.errors import ValidationError
from els_core.domain.outcomes import Duplicate, Parked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.delivering import Delivery
    from els_core.application.ports import Unit, Wire
    from els_core.domain.arrivals import Arrival, Key
    from els_core.domain.events import BatchClosed
    from els_core.domain.outcomes import Outcome, Proposal


@dataclass(frozen=True, slots=True)
class Provisioned:
    """One outcome per arrival, in their order; the batches that were closed; what was delivered."""

    outcomes: list[Outcome | Refused]
    closed: list[BatchClosed]
    delivered: Delivered


@dataclass(frozen=True, slots=True)
class ProvisionContent:
    """Redis proposes, Postgres disposes, Redis is told, the bus is served."""

    delivery: Delivery
    wire: Wire

    def __call__(self, arrivals: Sequence[Arrival]) -> Provisioned:
        """Decide all arrivals in one transaction; raise when a store is down, with nothing decided."""
        distinct = {key_of(arrival): arrival for arrival in reversed(arrivals)}
        ordered = {key: distinct[key] for key in dict.fromkeys(map(key_of, arrivals))}
        if not ordered:
            return Provisioned([], [], Delivered())
        hints = self.delivery.coordinator.propose(list(ordered.values()), self.delivery.clock.now())
        settled = self._decide(ordered, dict(zip(ordered, hints, strict=True)))
        delivered = self.delivery.deliver(settled.rolls.values(), settled.messages)
        return Provisioned(_unfold(arrivals, settled), settled.closed, delivered)

    def _decide(self, arrivals: Mapping[Key, Arrival], proposals: Mapping[Key, Proposal]) -> Settled:
        batch_ids = sorted({batch_id for batch_id, _ in arrivals})

        def together(unit: Unit) -> Settled:
            return Settling(unit, self.wire).together(unit.lock(batch_ids), arrivals.values(), proposals)

        def one_by_one(unit: Unit) -> Settled:
            return Settling(unit, self.wire).one_by_one(unit.lock(batch_ids), arrivals.values(), proposals)

        try:
            return self.delivery.repository.transact(together)
        except ValidationError:
            return self.delivery.repository.transact(one_by_one)


def _unfold(arrivals: Sequence[Arrival], settled: Settled) -> list[Outcome | Refused]:
    """Answer each arrival; the second of an identity is a duplicate of the first."""
    answers: dict[Key, Outcome | Refused] = {}
    outcomes = []
    for arrival in arrivals:
        key = key_of(arrival)
        outcomes.append(answers.setdefault(key, settled.outcomes[key]))
        answers[key] = _again(answers[key])
    return outcomes


def _again(answer: Outcome | Refused) -> Outcome | Refused:
    return answer if isinstance(answer, Duplicate | Refused | Parked) else Duplicate(answer)
