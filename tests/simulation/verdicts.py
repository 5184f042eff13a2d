"""The judgement of a random world, beside the promises that hold for every world at every instant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dev.invariants.checks import Violation, violations
from els_core.application.provision_content import ProvisioningResult
from els_core.domain.arrivals import Content, Failure, key_of
from els_core.domain.batches import Status
from els_core.domain.outcomes import Parked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from dev.invariants.evidence import BatchEvidence, Evidence
    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.outcomes import Outcome
    from tests.fakes.queues import FakeDeadLetters
    from tests.fakes.rows import BatchRow, Database, OutboxRow
    from tests.simulation.messages import Letter


def final_breaches(
    books: Evidence,
    delivered: Sequence[Letter],
    dead: FakeDeadLetters,
    stuck: AbstractSet[ArrivalKey],
    *,
    has_waited: bool,
) -> Iterator[Violation]:
    """Yield what is wrong once nothing is on its way; `has_waited` for longer than parking may last."""
    yield from violations(books, is_quiescent=True)
    yield from _poison(delivered, dead, stuck)
    for page in books.batches.values():
        yield from _same_in_any_order(books, page)
        if has_waited:
            yield from _overdue(books, page)


def _poison(
    delivered: Sequence[Letter], dead: FakeDeadLetters, stuck: AbstractSet[ArrivalKey]
) -> Iterator[Violation]:
    """What can never succeed is in the dead-letter queue with its reason, or parked, and nothing else is."""
    poison = {letter.body: letter.what for letter in delivered if letter.announced is None}
    buried = {letter.message.body for letter in dead.letters if letter.poison.error_code}
    parked = {one.body for one in delivered if one.refused is not None and key_of(one.refused) in stuck}
    for body in sorted(poison.keys() - buried - parked):
        yield Violation(11, "", f"{poison[body]} was not buried")
    for body in sorted(buried - poison.keys()):
        yield Violation(11, "", f"a good message was buried: {body}")


def _same_in_any_order(books: Evidence, page: BatchEvidence) -> Iterator[Violation]:
    """Without a deadline that passed, only which arrivals are excess may depend on the order."""
    batch = page.batch
    if batch.status in {Status.AWAITED, Status.TIMED_OUT}:
        return
    used = batch.assigned_count + batch.failed_count
    wanted = min(len(books.identities(batch.batch_id)), batch.expected_count)
    if used != wanted:
        yield Violation(8, batch.batch_id, f"{used} slots are used, in any order it must be {wanted}")


def _overdue(books: Evidence, page: BatchEvidence) -> Iterator[Violation]:
    """Who waits for too long is announced."""
    told = {
        arrival["identity"]
        for data in books.data(page.batch_id, "ParkedContentOverdue")
        for arrival in data["arrivals"]
    }
    if page.parked - told:
        yield Violation(6, page.batch_id, f"{sorted(page.parked - told)} wait and nobody was told")


def wrong_answers(
    reports: Sequence[tuple[Sequence[object], object]], decided: Mapping[ArrivalKey, Outcome]
) -> Iterator[Violation]:
    """Yield what an undisturbed invocation answers otherwise than it decided: each outcome once."""
    answers = Counter(
        (key_of(arrival), outcome)
        for arrivals, report in reports
        if isinstance(report, ProvisioningResult)
        for arrival, outcome in zip(arrivals, report.outcomes, strict=True)
        if isinstance(arrival, Content | Failure)
    )
    for key, outcome in decided.items():
        if not isinstance(outcome, Parked) and answers[key, outcome] != 1:
            yield Violation(2, key[0], f"{key[1]} is {outcome}, answered {answers[key, outcome]} times")


class CommitWatch:
    """Tells which batches a commit has changed: their rows, or their part of the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: Mapping[str, BatchRow] = {}
        self._outbox: Mapping[str, OutboxRow] = {}

    def changed(self) -> list[str]:
        """Return the batches that have changed since the last look, in the order of their ids."""
        rows, outbox = self._database.batches.committed, self._database.outbox.committed
        both = {**self._outbox, **outbox}
        changed = {both[event_id].message.batch_id for event_id in self._outbox.keys() ^ outbox.keys()}
        changed |= {batch_id for batch_id, row in rows.items() if self._rows.get(batch_id) is not row}
        self._rows, self._outbox = rows, outbox
        return sorted(changed & rows.keys())


class PromiseBrokenError(BaseException):
    """Ends a world at once; no code of the service can catch it."""

    def __init__(self, breach: Violation) -> None:
        super().__init__(str(breach))
        self.breach = breach
