"""Open batches and decide what was parked for them, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.settling import Refused, Settled, Settling
from els_core.domain.arrivals import key_of
from els_core.domain.errors import ValidationError
from els_core.domain.events import RegistrationRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from els_core.application.delivering import Delivered, Delivery
    from els_core.application.ports import ParkedArrival, Unit, Wire
    from els_core.domain.arrivals import Key
    from els_core.domain.batches import Batch, Registration
    from els_core.domain.events import BatchClosed
    from els_core.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Opened:
    """The batch takes arrivals from now on."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same registration came again; what was missing is repaired."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The batch is registered with other data; the first registration stands."""


type Answer = Opened | Repeated | Rejected | Refused


@dataclass(frozen=True, slots=True)
class Registered:
    """One answer per registration, in their order, and what became of what was parked for them.

    `stuck` are parked arrivals that could not be decided; they stay parked.
    """

    answers: list[Answer]
    drained: dict[Key, Outcome]
    stuck: list[Key]
    closed: list[BatchClosed]
    delivered: Delivered


@dataclass(frozen=True, slots=True)
class RegisterBatch:
    """The first registration of a batch id stands; the same again is a success, another is rejected."""

    delivery: Delivery
    wire: Wire

    def __call__(self, registrations: Sequence[Registration]) -> Registered:
        """Register all in one transaction; raise a fault when a store is down, with nothing registered."""
        try:
            work = self._register(registrations)
        except ValidationError:
            work = _Work()
            for registration in registrations:
                work.add(self._alone(registration))
        delivered = self.delivery.deliver(work.settled.rolls.values(), work.settled.messages)
        drained = {key: out for key, out in work.settled.outcomes.items() if not isinstance(out, Refused)}
        return Registered(work.answers, drained, work.stuck, work.settled.closed, delivered)

    def _alone(self, registration: Registration) -> _Work:
        try:
            return self._register([registration])
        except ValidationError as refusal:
            return _Work(answers=[Refused(refusal.details)])

    def _register(self, registrations: Sequence[Registration]) -> _Work:
        """Decide what was parked together; if the record refuses that, one by one."""
        run = self.delivery.repository.transact
        try:
            return run(lambda unit: self._work(unit, registrations, alone=False))
        except ValidationError:
            return run(lambda unit: self._work(unit, registrations, alone=True))

    def _work(self, unit: Unit, registrations: Sequence[Registration], *, alone: bool) -> _Work:
        batches = unit.lock(sorted({registration.batch_id for registration in registrations}))
        answers = _answer(registrations, batches)
        opened = [r for r, answer in zip(registrations, answers, strict=True) if isinstance(answer, Opened)]
        if opened:
            batches.update(unit.open(opened))
        parked = unit.parked(list(batches))
        readable = [row.arrival for row in parked if row.arrival is not None]
        settling = Settling(unit, self.wire)
        decide = settling.one_by_one if alone else settling.together
        settled = decide(batches, readable, None, _rejections(registrations, answers))
        refused = {key for key, outcome in settled.outcomes.items() if isinstance(outcome, Refused)}
        decided = [key_of(arrival) for arrival in readable if key_of(arrival) not in refused]
        if decided:
            unit.unpark(decided)
        return _Work(answers, settled, [*refused, *_unreadable(parked)])


_REJECTION = "the batch is already registered with other data; the first registration stands"


@dataclass(slots=True)
class _Work:
    answers: list[Answer] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)
    stuck: list[Key] = field(default_factory=list)

    def add(self, later: _Work) -> None:
        """Take in what was done for a later registration."""
        self.answers.extend(later.answers)
        self.settled.add(later.settled)
        self.stuck.extend(later.stuck)


def _answer(registrations: Sequence[Registration], batches: dict[str, Batch]) -> list[Answer]:
    """Compare each registration with the first one of its batch, in this call or before."""
    first = {batch_id: batch.fingerprint for batch_id, batch in batches.items()}
    answers: list[Answer] = []
    for registration in registrations:
        known = first[registration.batch_id]
        if known is None:
            first[registration.batch_id] = registration.fingerprint
            answers.append(Opened())
        else:
            answers.append(Repeated() if known == registration.fingerprint else Rejected())
    return answers


def _rejections(
    registrations: Sequence[Registration], answers: Sequence[Answer]
) -> list[RegistrationRejected]:
    return [
        RegistrationRejected(r.batch_id, r.fingerprint, _REJECTION, r.terms.correlation_id)
        for r, answer in zip(registrations, answers, strict=True)
        if isinstance(answer, Rejected)
    ]


def _unreadable(parked: Sequence[ParkedArrival]) -> list[Key]:
    return [(row.batch_id, row.identity) for row in parked if row.arrival is None]
