"""Guards of the use cases and of what follows a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from els_core.application import provision_content
from els_core.application.decision_step import DecisionInput, DecisionStep
from els_core.application.message_consumer import MessageConsumer
from els_core.application.messages import PoisonMessage
from els_core.application.post_commit import PostCommit
from els_core.application.provision_content import ProvisionContent, ProvisioningResult
from els_core.domain.arrivals import key_of
from tests.fakes.queues import FakeQueue
from tests.simulation.mutations import Swap, instead, without

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.domain.arrivals import Arrival


def _forgetting_all(send: Any) -> Callable[..., object]:
    def sent(post_commit: Any, messages: Sequence[Any]) -> object:
        answer = send(post_commit, messages)
        if messages:
            post_commit.repository.delete_sent([message.event_id for message in messages])
        return answer

    return sent


def _forgetting_first(send: Any) -> Callable[..., object]:
    def sent(post_commit: Any, messages: Sequence[Any]) -> object:
        if messages:
            post_commit.repository.delete_sent([message.event_id for message in messages])
        return send(post_commit, messages)

    return sent


def _blocked_by_poison(take_in: Any) -> Callable[..., object]:
    def taken_in(intake: Any, records: Sequence[Any]) -> object:
        is_poisoned = any(isinstance(intake.parse(record.body), PoisonMessage) for record in records)
        taken = take_in(intake, [] if is_poisoned and len(records) > 1 else records)
        if is_poisoned and len(records) > 1:
            taken.batch_item_failures.extend(record.message_id for record in records)
        return taken

    return taken_in


def _burying_in_hope(_: object) -> Callable[..., None]:
    def bury(intake: Any, taken: Any) -> None:
        if taken.dead_letters:
            try:
                intake.dead_letter_queue.send(taken.dead_letters)
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


def _not_folding(_: object) -> Callable[..., ProvisioningResult]:
    def call(use_case: Any, arrivals: Sequence[Arrival]) -> ProvisioningResult:
        post_commit = use_case.post_commit
        hints = post_commit.coordinator.propose(arrivals, post_commit.clock.now())
        proposals = dict(zip(map(key_of, arrivals), hints, strict=True))
        decision = getattr(use_case, "_decide")(_Unfolded(arrivals), proposals)  # noqa: B009 - private
        delivered = post_commit.run(decision.snapshots.values(), decision.messages)
        unfold = getattr(provision_content, "_answer_each")  # noqa: B009 - private
        return ProvisioningResult(unfold(arrivals, decision), decision.closed, delivered)

    return call


def _all_or_none(_: object) -> Callable[..., object]:
    def decide(use_case: Any, arrivals: Any, proposals: Any) -> object:
        batch_ids = sorted({batch_id for batch_id, _ in arrivals})
        return use_case.post_commit.repository.transact(
            lambda transaction: DecisionStep(transaction, use_case.encoder).decide_together(
                DecisionInput(transaction.lock(batch_ids), list(arrivals.values()), proposals)
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
    without("only what was sent is forgotten", 500, Swap(PostCommit, "publish", _forgetting_all)),
    without("forgotten only after it was sent", 300, Swap(PostCommit, "publish", _forgetting_first)),
    without("what met a fault comes back", 300, Swap(MessageConsumer, "_retry", instead(None))),
    without("acknowledged only after the commit", 300, Swap(FakeQueue, "receive", _at_most_once)),
    without(
        "poison does not hold up its neighbours", 300, Swap(MessageConsumer, "consume", _blocked_by_poison)
    ),
    without(
        "poison is acknowledged only once it is buried",
        500,
        Swap(MessageConsumer, "_send_dead_letters", _burying_in_hope),
    ),
    without("what the record refuses fails alone", 300, Swap(ProvisionContent, "_decide", _all_or_none)),
    without(
        "records of one identity are one arrival", 300, Swap(ProvisionContent, "provision", _not_folding)
    ),
)
