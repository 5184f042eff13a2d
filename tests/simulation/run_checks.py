"""Checks of a simulated run, beside the invariants that hold in every environment at every moment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, assert_never

from dev.invariants.checks import Violation, violations
from els_core.application.provision_content import ProvisioningResult
from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.batches import Status
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Superseded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from dev.invariants.evidence import BatchEvidence, Evidence
    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.outcomes import Outcome
    from tests.fakes.queues import FakeDeadLetterQueue
    from tests.fakes.rows import BatchRow, Database, OutboxRow
    from tests.simulation.messages import PlannedMessage


class InvariantViolated(BaseException):
    """Ends a run at once. No code of the service can catch this."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(str(violation))
        self.violation = violation


def final_violations(
    evidence: Evidence,
    delivered: Sequence[PlannedMessage],
    dead_letters: FakeDeadLetterQueue,
    undecidable: AbstractSet[ArrivalKey],
    *,
    parking_is_over: bool,
) -> Iterator[Violation]:
    """Yield what is wrong when nothing is in flight; `parking_is_over` when the parking time has passed."""
    yield from violations(evidence, is_quiescent=True)
    yield from _poison(delivered, dead_letters, undecidable)
    for found in evidence.batches.values():
        yield from _used_slots(evidence, found)
        if parking_is_over:
            yield from _overdue(evidence, found)


def _poison(
    delivered: Sequence[PlannedMessage],
    dead_letters: FakeDeadLetterQueue,
    undecidable: AbstractSet[ArrivalKey],
) -> Iterator[Violation]:
    """Poison messages are in the dead-letter queue with a reason, or parked for good; no other message is."""
    poison = {message.body: message.what for message in delivered if message.event is None}
    dead = {letter.message.body for letter in dead_letters.letters if letter.poison.error_code}
    parked = {
        message.body
        for message in delivered
        if message.rejected is not None and key_of(message.rejected) in undecidable
    }
    for body in sorted(poison.keys() - dead - parked):
        yield Violation(11, "", f"{poison[body]} is not in the dead-letter queue")
    for body in sorted(dead - poison.keys()):
        yield Violation(11, "", f"a good message is in the dead-letter queue: {body}")


def _used_slots(evidence: Evidence, found: BatchEvidence) -> Iterator[Violation]:
    """Unless the deadline passed, the number of used slots does not depend on the order of deliveries.

    What a command did depends on when it came.
    """
    batch = found.batch
    if any(one.batch_id == batch.batch_id for one in evidence.commanded):
        return
    match batch.status:
        case Status.AWAITED | Status.TIMED_OUT | Status.CANCELLED:
            return
        case Status.OPEN | Status.READY | Status.FAILED:
            used = batch.assigned_count + batch.failed_count
            wanted = min(len(evidence.identities(batch.batch_id)), batch.expected_count)
            if used != wanted:
                yield Violation(8, batch.batch_id, f"{used} slots are used; in any order it must be {wanted}")
        case _:
            assert_never(batch.status)


def _overdue(evidence: Evidence, found: BatchEvidence) -> Iterator[Violation]:
    """Arrivals that are parked for too long are announced."""
    announced = {
        arrival["identity"]
        for data in evidence.data(found.batch_id, "ParkedContentOverdue")
        for arrival in data["arrivals"]
    }
    if found.parked - announced:
        what = f"{sorted(found.parked - announced)} are parked for too long and were not announced"
        yield Violation(6, found.batch_id, what)


def wrong_answers(
    reports: Sequence[tuple[Sequence[object], object]], decided: Mapping[ArrivalKey, Outcome]
) -> Iterator[Violation]:
    """Yield the decisions that an undisturbed invocation did not answer to exactly one message."""
    answers = Counter(
        (_key(arrival), outcome)
        for arrivals, report in reports
        if isinstance(report, ProvisioningResult)
        for arrival, outcome in zip(arrivals, report.outcomes, strict=True)
    )
    for key, outcome in decided.items():
        match outcome:
            case Parked():
                pass  # each copy of a parked arrival gets this answer
            case Assigned() | Failed() | Excess() | Late() | Superseded() | Duplicate():
                if answers[key, outcome] != 1:
                    what = f"{key[1]} is {outcome}, answered {answers[key, outcome]} times"
                    yield Violation(2, key[0], what)
            case _:
                assert_never(outcome)


def _key(arrival: object) -> ArrivalKey:
    match arrival:
        case Content() | Failure():
            return key_of(arrival)
        case _:
            raise TypeError(f"{arrival!r} was provisioned and is no arrival")


class CommitDiff:
    """Finds the batches that a commit has changed: their rows, or their events in the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: Mapping[str, BatchRow] = {}
        self._outbox: Mapping[str, OutboxRow] = {}

    def changed(self) -> list[str]:
        """Return the ids of the batches that have changed since the last call, sorted."""
        rows, outbox = self._database.batches.committed, self._database.outbox.committed
        both = {**self._outbox, **outbox}
        changed = {both[event_id].message.batch_id for event_id in self._outbox.keys() ^ outbox.keys()}
        changed |= {batch_id for batch_id, row in rows.items() if self._rows.get(batch_id) is not row}
        self._rows, self._outbox = rows, outbox
        return sorted(changed & rows.keys())
