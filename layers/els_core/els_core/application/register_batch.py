"""Open batches and decide what was parked for them, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.decision_step import Decision, DecisionInput, DecisionStep, StoreRejection
from els_core.domain.arrivals import key_of
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.events import RegistrationRejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import ParkedArrival, Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.batches import Batch, Registration
    from els_core.domain.events import BatchClosed
    from els_core.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Opened:
    """The batch is open for arrivals from now on."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same registration came again; whatever was missing is repaired."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The batch is registered with other data; the first registration stands."""


type RegistrationAnswer = Opened | Repeated | Rejected | StoreRejection


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """One answer per registration, in their order, and what became of the arrivals parked for them.

    `undecidable` are parked arrivals that could not be decided; they stay parked.
    """

    answers: Sequence[RegistrationAnswer]
    drained: Mapping[ArrivalKey, Outcome]
    undecidable: Sequence[ArrivalKey]
    closed: Sequence[BatchClosed]
    published: PublishResult


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """Idempotent: the first registration of a batch stands, the same again succeeds, another is rejected."""

    post_commit: PostCommit
    encoder: EventEncoder

    def register(self, registrations: Sequence[Registration]) -> RegistrationResult:
        """Register all in one transaction; raise a fault when a store is down, with nothing registered."""
        try:
            drains = [self._register(registrations)]
        except RejectedByStoreError:
            drains = [self._register_alone(registration) for registration in registrations]
        decision = Decision.merged([drain.decision for drain in drains])
        published = self.post_commit.run(decision.snapshots.values(), decision.messages)
        return RegistrationResult(
            [answer for drain in drains for answer in drain.answers],
            {key: out for key, out in decision.outcomes.items() if not isinstance(out, StoreRejection)},
            [key for drain in drains for key in drain.undecidable],
            decision.closed,
            published,
        )

    def _register_alone(self, registration: Registration) -> _Drain:
        try:
            return self._register([registration])
        except RejectedByStoreError as fault:
            return _Drain([StoreRejection(fault.details)])

    def _register(self, registrations: Sequence[Registration]) -> _Drain:
        """Decide parked arrivals in bulk; if Postgres rejects the data of one, decide them one by one."""
        transact = self.post_commit.repository.transact
        try:
            return transact(lambda transaction: self._drain(transaction, registrations, one_by_one=False))
        except RejectedByStoreError:
            return transact(lambda transaction: self._drain(transaction, registrations, one_by_one=True))

    def _drain(
        self, transaction: Transaction, registrations: Sequence[Registration], *, one_by_one: bool
    ) -> _Drain:
        batches = transaction.lock(sorted({registration.batch_id for registration in registrations}))
        answers = _answer_each(registrations, batches)
        opening = [r for r, answer in zip(registrations, answers, strict=True) if isinstance(answer, Opened)]
        opened = transaction.open(opening) if opening else {}
        parked = transaction.parked(list(batches))
        readable = [row.arrival for row in parked if row.arrival is not None]
        step = DecisionStep(transaction, self.encoder)
        given = DecisionInput({**batches, **opened}, readable, None, _rejections(registrations, answers))
        decision = step.decide_one_by_one(given) if one_by_one else step.decide_together(given)
        rejected = {key for key, outcome in decision.outcomes.items() if isinstance(outcome, StoreRejection)}
        decided = [key_of(arrival) for arrival in readable if key_of(arrival) not in rejected]
        if decided:
            transaction.unpark(decided)
        return _Drain(answers, decision, [*rejected, *_unreadable(parked)])


REJECTION = "the batch is already registered with other data; the first registration stands"


@dataclass(frozen=True, slots=True)
class _Drain:
    answers: Sequence[RegistrationAnswer]
    decision: Decision = field(default_factory=Decision)
    undecidable: Sequence[ArrivalKey] = ()


def _answer_each(
    registrations: Sequence[Registration], batches: Mapping[str, Batch]
) -> list[RegistrationAnswer]:
    """Compare each registration with the first one of its batch, in this call or before."""
    first = {batch_id: batch.fingerprint for batch_id, batch in batches.items()}
    answers: list[RegistrationAnswer] = []
    for registration in registrations:
        known = first[registration.batch_id]
        if known is None:
            first[registration.batch_id] = registration.fingerprint
            answers.append(Opened())
        else:
            answers.append(Repeated() if known == registration.fingerprint else Rejected())
    return answers


def _rejections(
    registrations: Sequence[Registration], answers: Sequence[RegistrationAnswer]
) -> list[RegistrationRejected]:
    return [
        RegistrationRejected(r.batch_id, r.fingerprint, REJECTION, r.details.correlation_id)
        for r, answer in zip(registrations, answers, strict=True)
        if isinstance(answer, Rejected)
    ]


def _unreadable(parked: Sequence[ParkedArrival]) -> list[ArrivalKey]:
    return [(row.batch_id, row.identity) for row in parked if row.arrival is None]
