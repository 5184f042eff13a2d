"""Guards of the use cases and of what follows a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from els_core.application import provision_content
from els_core.application.delivering import Delivery
from els_core.application.provision_content import ProvisionContent, Provisioned
from els_core.application.settling import Settling
from els_core.application.taking_in import Intake, Poison
from els_core.domain.arrivals import key_of
from tests.doubles.queues import FakeQueue
from tests.simulation.mutations import Swap, instead, without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.domain.arrivals import Arrival


def _forgetting_all(send: Any) -> Callable[..., object]:
    def sent(delivery: Any, messages: Sequence[Any]) -> object:
        answer = send(delivery, messages)
        if messages:
            delivery.repository.forget([message.event_id for message in messages])
        return answer

    return sent


def _forgetting_first(send: Any) -> Callable[..., object]:
    def sent(delivery: Any, messages: Sequence[Any]) -> object:
        if messages:
            delivery.repository.forget([message.event_id for message in messages])
        return send(delivery, messages)

    return sent


def _blocked_by_poison(take_in: Any) -> Callable[..., object]:
    def taken_in(intake: Any, records: Sequence[Any]) -> object:
        is_poisoned = any(isinstance(intake.parse(record.body), Poison) for record in records)
        taken = take_in(intake, [] if is_poisoned and len(records) > 1 else records)
        if is_poisoned and len(records) > 1:
            taken.come_back.extend(record.message_id for record in records)
        return taken

    return taken_in


def _burying_in_hope(_: object) -> Callable[..., None]:
    def bury(intake: Any, taken: Any) -> None:
        if taken.dead:
            try:
                intake.dead_letters.send(taken.dead)
            except Exception as fault:  # noqa: BLE001 - that is the mutation
                taken.faults.append(fault)

    return bury


class _Unfolded(dict[Any, Any]):
    """Has every record as a value, also those of one identity."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        super().__init__({key_of(arrival): arrival for arrival in arrivals})
        self._all = arrivals

    def values(self) -> Any:
        return self._all


def _not_folding(_: object) -> Callable[..., Provisioned]:
    def call(use_case: Any, arrivals: Sequence[Arrival]) -> Provisioned:
        delivery = use_case.delivery
        hints = delivery.coordinator.propose(arrivals, delivery.clock.now())
        proposals = dict(zip(map(key_of, arrivals), hints, strict=True))
        settled = getattr(use_case, "_decide")(_Unfolded(arrivals), proposals)  # noqa: B009 - private
        delivered = delivery.deliver(settled.rolls.values(), settled.messages)
        unfold = getattr(provision_content, "_unfold")  # noqa: B009 - private
        return Provisioned(unfold(arrivals, settled), settled.closed, delivered)

    return call


def _all_or_none(_: object) -> Callable[..., object]:
    def decide(use_case: Any, arrivals: Any, proposals: Any) -> object:
        batch_ids = sorted({batch_id for batch_id, _ in arrivals})
        return use_case.delivery.repository.transact(
            lambda unit: Settling(unit, use_case.wire).together(
                unit.lock(batch_ids), arrivals.values(), proposals
            )
        )

    return decide


def _at_most_once(receive: Any) -> Callable[..., object]:
    def received(queue: Any, *how: Any) -> object:
        records = receive(queue, *how)
        queue.acknowledge([record.message_id for record in records])
        return records

    return received


USE_CASES = (
    without("only what was sent is forgotten", 500, Swap(Delivery, "send", _forgetting_all)),
    without("forgotten only after it was sent", 300, Swap(Delivery, "send", _forgetting_first)),
    without("what met a fault comes back", 300, Swap(Intake, "_come_back", instead(None))),
    without("acknowledged only after the commit", 300, Swap(FakeQueue, "receive", _at_most_once)),
    without("poison does not hold up its neighbours", 300, Swap(Intake, "__call__", _blocked_by_poison)),
    without("poison is acknowledged only once it is buried", 500, Swap(Intake, "_bury", _burying_in_hope)),
    without("what the record refuses fails alone", 300, Swap(ProvisionContent, "_decide", _all_or_none)),
    without("records of one identity are one arrival", 300, Swap(ProvisionContent, "__call__", _not_folding)),
)
