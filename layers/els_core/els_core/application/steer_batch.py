"""Judge commands about batches, each in a transaction of its own, and answer each one once for ever."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from els_core.application.budgets import always
from els_core.application.commands import Door
from els_core.application.decision_step import Decision, DecisionStep, StoreRejection
from els_core.application.message_consumer import Retry
from els_core.domain.announcements import batch_closed, released_slots
from els_core.domain.batches import Status
from els_core.domain.commands import Announce, CommandAnswer, Refusal
from els_core.domain.decisions import MAX_PARKED, BatchChange, expire, time_out
from els_core.domain.errors import RejectedByStoreError
from els_core.domain.events import CommandAnswered
from els_core.domain.reopening import Standby
from els_core.domain.steering import SteeringView, steer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from els_core.application.budgets import MayContinue
    from els_core.application.commands import CommandRequest
    from els_core.application.decision_step import ClosedBatch
    from els_core.application.ports.messaging import EventEncoder
    from els_core.application.ports.repository import Transaction
    from els_core.application.post_commit import PostCommit, PublishResult
    from els_core.domain.batches import Batch
    from els_core.domain.events import OutboxMessage


@dataclass(frozen=True, slots=True)
class Answered:
    """The command was applied or refused, now or when it came first."""

    answer: CommandAnswer
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class CommandIdReused:
    """The id came before with other arguments; nothing was done."""


@dataclass(frozen=True, slots=True)
class BatchNotFound:
    """The caller sees no such batch; nothing was kept."""


type SteeringAnswer = Answered | CommandIdReused | BatchNotFound | StoreRejection | Retry


@dataclass(slots=True)
class SteeringResult:
    """One answer per command, in their order, the batches that were closed, and what was published."""

    answers: list[SteeringAnswer] = field(default_factory=list)
    closed: list[ClosedBatch] = field(default_factory=list)
    published: list[PublishResult] = field(default_factory=list)


class _DryRunError(Exception):
    """Rolls the transaction of a dry run back; carries its answer."""

    def __init__(self, answer: SteeringAnswer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class SteerBatch:
    """One command, one transaction; its answer and its effect are committed together."""

    post_commit: PostCommit
    encoder: EventEncoder

    def steer(self, requests: Sequence[CommandRequest], may_continue: MayContinue = always) -> SteeringResult:
        """Judge the commands in order.

        Raises a fault if a store is down; what was answered before that stays answered.
        """
        result = SteeringResult()
        for request in requests:
            if result.answers and not may_continue():
                result.answers.append(Retry())
                continue
            answer, decision = self._judge(request)
            result.answers.append(answer)
            result.closed.extend(decision.closed)
            result.published.append(self.post_commit.run(decision, may_continue))
        return result

    def _judge(self, request: CommandRequest) -> tuple[SteeringAnswer, Decision]:
        def work(transaction: Transaction) -> tuple[SteeringAnswer, list[Decision]]:
            answer, decisions = _Judgement(request, transaction, self.encoder).run()
            if request.is_dry_run:
                raise _DryRunError(answer)
            return answer, decisions

        try:
            answer, decisions = self.post_commit.repository.transact(work)
        except _DryRunError as dry_run:
            return dry_run.answer, Decision()
        except RejectedByStoreError as fault:
            return StoreRejection(fault.details), Decision()
        return answer, Decision.merged(decisions)  # their outbox rows can be read after the commit


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Judges one command inside its transaction."""

    request: CommandRequest
    transaction: Transaction
    encoder: EventEncoder

    def run(self) -> tuple[SteeringAnswer, list[Decision]]:
        """Find the batch and the first answer, else expire, steer, complete and record."""
        request = self.request
        locked = self.transaction.lock([request.batch_id], only_known=request.sender.door is Door.API)
        batch = locked.get(request.batch_id)
        if batch is None or not self._may_see(batch):
            return BatchNotFound(), []
        kept = None if request.is_dry_run else self.transaction.command(batch.batch_id, request.command_id)
        if kept is not None:
            is_same = kept.fingerprint == request.fingerprint
            return (Answered(kept.answer, is_repeated=True) if is_same else CommandIdReused()), []
        return self._judge(batch)

    def _may_see(self, batch: Batch) -> bool:
        if self.request.sender.org_id is None:
            return True
        [snapshot] = self.transaction.snapshots([batch.batch_id])
        return snapshot.details is not None and snapshot.details.org_id == self.request.sender.org_id

    def _judge(self, batch: Batch) -> tuple[SteeringAnswer, list[Decision]]:
        now = self.transaction.locked_view((), {}).now
        step = DecisionStep(self.transaction, self.encoder)
        decisions: list[Decision] = []
        if expire(batch, now) != batch:
            decisions.append(step.record_and_enqueue([time_out(batch)], None, now))
            batch = decisions[0].batches[batch.batch_id]
        view = self._view(batch, now)
        judged = steer(self.request.command, view, self.request.command_id)
        if isinstance(judged, Refusal):
            change, refusal = BatchChange(batch, batch), judged
        else:
            change, refusal = replace(judged, correlation_id=self.request.correlation_id), None
        if refusal is None:
            decisions.append(Decision(messages=self._announce_again(view)))
        if change.after.epoch > batch.epoch:
            self.transaction.keep_result(self._result(view))
        answer = _answer(self.request, change, refusal)
        event = CommandAnswered(batch.batch_id, answer, self.request.correlation_id)
        decisions.append(step.record_and_enqueue([change], None, now, [event]))
        self._unpark(change)
        if not self.request.is_dry_run:
            self.transaction.keep_command(self.request, answer)
        return Answered(answer), decisions

    def _view(self, batch: Batch, now: datetime) -> SteeringView:
        """Read what the command is judged by; what is parked or stands by only where it is needed."""
        batch_id = batch.batch_id
        [snapshot] = self.transaction.snapshots([batch_id])
        parked = self.transaction.parked([batch_id], MAX_PARKED) if batch.status is Status.AWAITED else []
        standby = self.transaction.standby(batch_id, MAX_PARKED) if batch.status.is_terminal else Standby()
        arrivals = [row.arrival for row in parked if row.arrival is not None]
        return SteeringView(snapshot, now, arrivals, standby, self.request.if_version, self.request.if_epoch)

    def _announce_again(self, view: SteeringView) -> Sequence[OutboxMessage]:
        """Put the result that an applied `announce` names into the outbox."""
        command = self.request.command
        if not isinstance(command, Announce):
            return []
        batch = view.snapshot.batch
        last = batch.epoch if batch.status.is_terminal else batch.epoch - 1
        epoch = command.epoch or last
        again = self.transaction.announce_again(batch.batch_id, epoch)
        return [again] if again is not None else self.transaction.enqueue([self._result(view)])

    def _result(self, view: SteeringView) -> OutboxMessage:
        """Return the result of the ended epoch, for one that an older version of this service closed."""
        [message] = self.encoder.encode([batch_closed(view.snapshot)], view.now)
        return message

    def _unpark(self, change: BatchChange) -> None:
        decided = [(arrival.batch_id, arrival.identity) for arrival, _ in change.decided]
        if decided and change.before.status is Status.AWAITED:
            self.transaction.unpark(decided)


def _answer(request: CommandRequest, change: BatchChange, refusal: Refusal | None) -> CommandAnswer:
    after = change.after
    return CommandAnswer(
        request.command_id,
        request.command.name,
        refusal,
        after.status,
        after.epoch,
        after.version,
        change.withdrawn,
        released_slots(change),
        len(change.taken_in),
    )
