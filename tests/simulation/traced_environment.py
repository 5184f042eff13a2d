"""An environment that writes a trace, checks the invariants after each commit and explains every fault."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, override

from dev.invariants.checks import Violation, violations
from dev.invariants.evidence import Evidence
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError
from tests.fakes.cooperative_scheduler import CooperativeScheduler
from tests.fakes.queues import VISIBILITY_TIMEOUT
from tests.simulation.environment import MAX_ROUNDS, Environment
from tests.simulation.processes import SkewedProcess
from tests.simulation.run_checks import CommitDiff, InvariantViolated, wrong_answers
from tests.simulation.trace_log import TraceLog
from tests.simulation.traced_servers import TracedBus, TracedDeadLetterQueue, TracedStores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.message_consumer import MessageConsumer
    from els_core.application.messages import QueueMessage
    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.outcomes import Outcome
    from tests.fakes.queues import FakeQueue
    from tests.simulation.choices import Choices

SKEWS = tuple(timedelta(days=days) for days in (0, -2, 2, 400))


class TracedEnvironment(Environment):
    """While `injects_faults`, its `choices` decide; `disturbed` has the names of tasks that met a fault.

    While `time_is_short`, an invocation may have to stop before it has done everything.
    """

    stores: TracedStores

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.scheduler = CooperativeScheduler()
        self.trace = TraceLog()
        super().__init__(TracedStores(self, self._pick), self.scheduler)
        self.bus = TracedBus(self)
        self.dead_letters = TracedDeadLetterQueue(self)
        self.injects_faults = True
        self.time_is_short = False
        self.disturbed: set[str] = set()
        self._decided: dict[str, dict[ArrivalKey, Outcome]] = {}
        self._traced_versions: dict[str, int] = {}
        self._commit_diff = CommitDiff(self.stores.repository.database)

    def log(self, text: str, *values: object) -> None:
        """Append a line to the trace."""
        self.trace.append(self.scheduler.running, text, values)

    def fail(self, invariant: int, batch_id: str, what: str) -> None:
        """End the run: an invariant is violated."""
        raise InvariantViolated(Violation(invariant, batch_id, what))

    @override
    def new_process(self) -> SkewedProcess:
        return SkewedProcess(self, self.choices.one_of(SKEWS) if self.injects_faults else SKEWS[0])

    @override
    def _consume[Item, Report](
        self, queue: FakeQueue, consumer: MessageConsumer[Item, Report], limit: int
    ) -> bool:
        messages = queue.receive(limit, self._order)
        if not messages:
            return False
        task = self.scheduler.running
        self._decided[task] = {}
        self.log("receives {}", " ".join(message.message_id for message in messages))
        result = consumer.consume(messages, self._has_time)
        for fault in result.faults:
            self._require_injected(fault)
        if task not in self.disturbed and queue is self.arrivals:
            for violation in wrong_answers(result.reports, self._decided[task]):
                raise InvariantViolated(violation)
        retried = result.batch_item_failures
        queue.acknowledge([one.message_id for one in messages if one.message_id not in retried])
        if self.injects_faults and self.choices.chance(50):
            queue.make_visible(retried)
        return True

    @override
    def _invoke(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever escapes is checked
            self._require_injected(error)
            return True

    def _require_injected(self, error: Exception) -> None:
        """End the run for an error that no injected fault explains."""
        if not self.injects_faults or not isinstance(error, ExternalServiceError | CoordinationTimeoutError):
            raise InvariantViolated(Violation(11, "", f"{type(error).__name__}: {error}")) from error
        self.log("fails with {}", type(error).__name__)

    def committed(self, decided: dict[ArrivalKey, Outcome]) -> None:
        """Check the invariants of the batches that a commit has changed; nothing else changes Postgres."""
        self._decided.setdefault(self.scheduler.running, {}).update(decided)
        evidence = Evidence(
            self.stores.now(),
            self.registered,
            self.sent,
            {batch_id: self.stores.evidence_of(batch_id) for batch_id in self._commit_diff.changed()},
            self.stores.outbox(),
            self.bus.accepted,
            self.commanded,
        )
        for found in evidence.batches.values():
            row = found.batch
            if self._traced_versions.get(row.batch_id) != row.version:
                self._traced_versions[row.batch_id] = row.version
                counts = f"{row.assigned_count}+{row.failed_count} of {row.expected_count}"
                self.log("commits {} v{} {} {}", row.batch_id, row.version, row.status.value, counts)
        for violation in violations(evidence, is_quiescent=False):
            raise InvariantViolated(violation)

    @override
    def drain(self) -> None:
        """Redeliver, redrive, sweep and relay until nothing is in flight."""
        for _ in range(MAX_ROUNDS):
            self.advance(VISIBILITY_TIMEOUT)
            queues = (self.registrations, self.arrivals, self.commands)
            for queue in queues:
                redriven, queue.dead_lettered = queue.dead_lettered, []
                for message in redriven:
                    queue.send(message.body)
            while self.register() | self.provision() | self.steer():
                pass
            self.sweep()
            self.relay()
            if self.is_quiescent and not any(queue.dead_lettered for queue in queues):
                return
        self.fail(11, "", f"something is still in flight after {MAX_ROUNDS} rounds of redelivery")

    def _has_time(self) -> bool:
        """Choose whether the function may begin something more."""
        return not (self.injects_faults and self.time_is_short and self.choices.chance(60))

    def _order(self, visible: Sequence[QueueMessage]) -> Sequence[QueueMessage]:
        """Choose which visible messages are received, and in what order."""
        return self.choices.some_of(visible) if self.injects_faults else visible

    def _pick(self, free: set[str]) -> str:
        """Choose the member that SPOP takes."""
        return self.choices.one_of(sorted(free)) if self.injects_faults else min(free)
