"""Open batches and decide what was parked for them, each batch in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from els_core.application.budgets import MAX_SLOTS, always
from els_core.application.decision_step import Decision, DecisionInput, DecisionStep, StoreRejection
from els_core.application.message_consumer import Retry
from els_core.domain.arrivals import key_of
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.events import RegistrationRejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.budgets import MayContinue
    from els_core.application.decision_step import ClosedBatch
    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import ParkedArrival, Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.batches import Batch, Registration
    from els_core.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Opened:
    """The batch is open for arrivals from now on."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same registration came again; whatever was missing is repaired."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The batch is registered with other data, and the first registration stands; or it was cancelled."""

    reason: str


type RegistrationAnswer = Opened | Repeated | Rejected | StoreRejection | Retry


@dataclass(frozen=True, slots=True)
class RegistrationResult:
    """One answer per registration, in their order, and what became of the arrivals parked for them.

    `undecidable` are parked arrivals that could not be decided; they stay parked.
    """

    answers: Sequence[RegistrationAnswer]
    drained: Mapping[ArrivalKey, Outcome]
    undecidable: Sequence[ArrivalKey]
    closed: Sequence[ClosedBatch]
    published: Sequence[PublishResult]


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """Idempotent: the first registration of a batch stands, the same again succeeds, another is rejected."""

    post_commit: PostCommit
    encoder: EventEncoder
    max_slots: int = MAX_SLOTS

    def register(
        self, registrations: Sequence[Registration], may_continue: MayContinue = always
    ) -> RegistrationResult:
        """Register all, in one transaction unless they hold more slots and parked arrivals than one may read.

        Raises a fault, with nothing registered, if a store is down.
        """
        answers: dict[int, RegistrationAnswer] = {}
        drained: dict[ArrivalKey, Outcome] = {}
        undecidable: list[ArrivalKey] = []
        closed: list[ClosedBatch] = []
        published: list[PublishResult] = []
        pending = dict(enumerate(registrations))
        while pending and (not published or may_continue()):
            drain = self._register(pending)
            answers.update({at: answer for at, answer in drain.answers.items() if at not in answers})
            outcomes = drain.decision.outcomes.items()
            drained.update({key: out for key, out in outcomes if not isinstance(out, StoreRejection)})
            undecidable.extend(drain.undecidable)
            closed.extend(drain.decision.closed)
            published.append(self.post_commit.run(drain.decision, may_continue))
            pending = {at: one for at, one in pending.items() if at in drain.unfinished}
        answers.update(dict.fromkeys(pending, Retry()))
        ordered = [answers[at] for at in range(len(registrations))]
        return RegistrationResult(ordered, drained, undecidable, closed, published)

    def _register(self, pending: Mapping[int, Registration]) -> _Drain:
        """Register in bulk; if Postgres rejects the data of one registration, in halves until it is alone."""
        transact = self.post_commit.repository.transact
        try:
            return transact(lambda transaction: self._drain(transaction, pending, in_halves=False))
        except RejectedByStoreError:
            if len(pending) > 1:
                ordered = list(pending.items())
                middle = len(ordered) // 2
                return self._register(dict(ordered[:middle])).then(self._register(dict(ordered[middle:])))
        try:  # it may be a parked arrival that Postgres rejects
            return transact(lambda transaction: self._drain(transaction, pending, in_halves=True))
        except RejectedByStoreError as fault:
            return _Drain(dict.fromkeys(pending, StoreRejection(fault.details)))

    def _drain(
        self, transaction: Transaction, pending: Mapping[int, Registration], *, in_halves: bool
    ) -> _Drain:
        locked = transaction.lock(sorted({registration.batch_id for registration in pending.values()}))
        parked = transaction.parked(list(locked), self.max_slots)
        fitting, leftover = self._fitting(pending, parked)
        chosen = {at: one for at, one in pending.items() if one.batch_id in fitting}
        batches = {batch_id: batch for batch_id, batch in locked.items() if batch_id in fitting}
        answers = _answer_each(chosen, batches)
        opening = [chosen[at] for at, answer in answers.items() if isinstance(answer, Opened)]
        opened = transaction.open(opening) if opening else {}
        refused = [chosen[at] for at, answer in answers.items() if isinstance(answer, Rejected)]
        if refused:
            transaction.keep_rejected(refused)
        rows = [row for row in parked if row.batch_id in fitting]
        readable = [row.arrival for row in rows if row.arrival is not None]
        step = DecisionStep(transaction, self.encoder, self.max_slots)
        given = DecisionInput({**batches, **opened}, readable, None, _rejections(chosen, answers, batches))
        decision = step.decide_in_halves(given) if in_halves else step.decide_together(given)
        rejected = {key for key, outcome in decision.outcomes.items() if isinstance(outcome, StoreRejection)}
        decided = [
            key for arrival in readable if (key := key_of(arrival)) in decision.outcomes.keys() - rejected
        ]
        if decided:
            transaction.unpark(decided)
        unfinished = leftover | decision.deferred
        return _Drain(
            answers,
            decision,
            [*rejected, *((row.batch_id, row.identity) for row in rows if row.arrival is None)],
            frozenset(at for at, one in pending.items() if one.batch_id in unfinished),
        )

    def _fitting(
        self, pending: Mapping[int, Registration], parked: Sequence[ParkedArrival]
    ) -> tuple[set[str], set[str]]:
        """Return the batches whose slots and parked arrivals fit into one transaction, and those left over.

        A batch is in both when it has more parked arrivals than were read.
        """
        costs = {one.batch_id: len(one.essay_ids) for one in pending.values()}
        counts = {batch_id: len(list(rows)) for batch_id, rows in groupby(parked, lambda row: row.batch_id)}
        is_cut = len(parked) >= self.max_slots
        last = parked[-1].batch_id if is_cut else None
        fitting: set[str] = set()
        total = 0
        for batch_id in sorted(costs):
            total += costs[batch_id] + counts.get(batch_id, 0)
            if fitting and (total > self.max_slots or (last is not None and batch_id >= last)):
                break
            fitting.add(batch_id)
        leftover = costs.keys() - fitting
        return fitting, leftover | ({last} & fitting if last is not None else set())


REJECTION = "the batch is already registered with other data; the first registration stands"
CANCELLED = "BATCH_CANCELLED"


@dataclass(frozen=True, slots=True)
class _Drain:
    """What one transaction did for the registrations at these positions; `unfinished` ones need another."""

    answers: Mapping[int, RegistrationAnswer]
    decision: Decision = field(default_factory=Decision)
    undecidable: Sequence[ArrivalKey] = ()
    unfinished: frozenset[int] = frozenset()

    def then(self, later: _Drain) -> _Drain:
        return _Drain(
            {**self.answers, **later.answers},
            Decision.merged([self.decision, later.decision]),
            [*self.undecidable, *later.undecidable],
            self.unfinished | later.unfinished,
        )


def _answer_each(
    registrations: Mapping[int, Registration], batches: Mapping[str, Batch]
) -> dict[int, RegistrationAnswer]:
    """Compare each registration with the first one of its batch, in this call or before."""
    first = {batch_id: batch.fingerprint for batch_id, batch in batches.items()}
    answers: dict[int, RegistrationAnswer] = {}
    for at, registration in registrations.items():
        known = first[registration.batch_id]
        if known is None and batches[registration.batch_id].status.is_terminal:
            answers[at] = Rejected(CANCELLED)
        elif known is None:
            first[registration.batch_id] = registration.fingerprint
            answers[at] = Opened()
        else:
            answers[at] = Repeated() if known == registration.fingerprint else Rejected(REJECTION)
    return answers


def _rejections(
    registrations: Mapping[int, Registration],
    answers: Mapping[int, RegistrationAnswer],
    batches: Mapping[str, Batch],
) -> list[RegistrationRejected]:
    return [
        RegistrationRejected(
            one.batch_id,
            one.fingerprint,
            answer.reason,
            one.details.correlation_id,
            batches[one.batch_id].epoch,
            batches[one.batch_id].version,
        )
        for at, one in registrations.items()
        if isinstance(answer := answers[at], Rejected)
    ]
