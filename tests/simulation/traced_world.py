"""A world that is watched: every commit is judged, every fault must be explained, and a story is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dev.invariants.checks import Violation, violations
from dev.invariants.evidence import Evidence
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError
from tests.fakes.cooperative_scheduler import Turns
from tests.fakes.queues import VISIBILITY
from tests.simulation.processes import SkewedProcess
from tests.simulation.servers import WatchedBus, WatchedDeadLetters, WatchedStores
from tests.simulation.trace_log import Story
from tests.simulation.verdicts import CommitWatch, PromiseBrokenError, wrong_answers
from tests.simulation.world import ROUNDS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.message_consumer import MessageConsumer
    from els_core.application.messages import QueueMessage
    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.outcomes import Outcome
    from tests.fakes.queues import FakeQueue
    from tests.simulation.choices import Choices

SKEWS = tuple(timedelta(days=days) for days in (0, -2, 2, 400))


class WatchedWorld(World):
    """While it is stormy, chances come from `course` and faults are to be expected."""

    def __init__(self, course: Choices) -> None:
        self.course = course
        self.turns = Turns()
        self.story = Story()
        self.servers = WatchedStores(self, self._pick)
        super().__init__(self.servers, self.turns)
        self.bus = WatchedBus(self)
        self.dead_letters = WatchedDeadLetters(self)
        self.is_stormy = True
        self.struck: set[str] = set()
        self._decided: dict[str, dict[ArrivalKey, Outcome]] = {}
        self._told: dict[str, int] = {}
        self._watch = CommitWatch(self.servers.record.database)

    def tell(self, what: str, *about: object) -> None:
        """Put a line into the story."""
        self.story.add(self.turns.running, what, about)

    def breach(self, promise: int, batch_id: str, what: str) -> None:
        """End the world."""
        raise PromiseBrokenError(Violation(promise, batch_id, what))

    def provision(self, limit: int = 10) -> bool:
        """Let one process take arrivals; tell whether there were any."""
        return self._invoke(lambda: self._take(self.arrivals, self._process().provision_content(), limit))

    def register(self, limit: int = 10) -> bool:
        """Let one process take registrations; tell whether there were any."""
        return self._invoke(lambda: self._take(self.registrations, self._process().register_batch(), limit))

    def sweep(self) -> None:
        """Let one process sweep."""
        self._invoke(lambda: bool(self._process().expire_batches().run(lambda: True)))

    def relay(self) -> None:
        """Let one process send what was left behind."""
        self._invoke(lambda: bool(self._process().publish_outbox().run(lambda: True)))

    def _process(self) -> SkewedProcess:
        return SkewedProcess(self, self.course.one_of(SKEWS) if self.is_stormy else SKEWS[0])

    def _take[Item, Report](
        self, queue: FakeQueue, intake: MessageConsumer[Item, Report], limit: int
    ) -> bool:
        records = queue.receive(limit, self._order)
        if not records:
            return False
        me = self.turns.running
        self._decided[me] = {}
        self.tell("receives {}", " ".join(record.message_id for record in records))
        taken = intake.consume(records)
        for fault in taken.faults:
            self._require_injected(fault)
        if me not in self.struck and queue is self.arrivals:
            for breach in wrong_answers(taken.reports, self._decided[me]):
                raise PromiseBrokenError(breach)
        queue.acknowledge([r.message_id for r in records if r.message_id not in taken.batch_item_failures])
        if self.is_stormy and self.course.chance(50):
            queue.batch_item_failures(taken.batch_item_failures)
        return True

    def _invoke(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever escapes is judged
            self._require_injected(error)
            return True

    def _require_injected(self, fault: Exception) -> None:
        """End the world for a fault that no trouble explains."""
        if not self.is_stormy or not isinstance(fault, ExternalServiceError | CoordinationTimeoutError):
            self.breach(11, "", f"{type(fault).__name__}: {fault}")
        self.tell("meets {}", type(fault).__name__)

    def committed(self, decided: dict[ArrivalKey, Outcome]) -> None:
        """Check the promises on what a commit has changed; nothing else changes the record."""
        self._decided.setdefault(self.turns.running, {}).update(decided)
        books = Evidence(
            self.servers.now(),
            self.registered,
            self.sent,
            {batch_id: self.servers.page(batch_id) for batch_id in self._watch.changed()},
            self.servers.outbox(),
            self.bus.taken,
        )
        for page in books.batches.values():
            row = page.batch
            if self._told.get(row.batch_id) != row.version:
                self._told[row.batch_id] = row.version
                counts = f"{row.assigned_count}+{row.failed_count} of {row.expected_count}"
                self.tell("commits {} v{} {} {}", row.batch_id, row.version, row.status.value, counts)
        for breach in violations(books, is_quiescent=False):
            raise PromiseBrokenError(breach)

    def drain(self) -> None:
        """Redeliver, redrive, sweep and relay until nothing is on its way."""
        for _ in range(ROUNDS):
            self.advance(VISIBILITY)
            for queue in (self.registrations, self.arrivals):
                dead, queue.dead = queue.dead, []
                for record in dead:
                    queue.send(record.body)
            while self.register() | self.provision():
                pass
            self.sweep()
            self.relay()
            if self.is_quiet and not self.arrivals.dead and not self.registrations.dead:
                return
        self.breach(11, "", "something never comes to rest")

    def _order(self, visible: Sequence[QueueMessage]) -> Sequence[QueueMessage]:
        """Draw which visible messages come, and in what order."""
        return self.course.some_of(visible) if self.is_stormy else visible

    def _pick(self, free: set[str]) -> str:
        """Draw the member that SPOP takes."""
        return self.course.one_of(sorted(free)) if self.is_stormy else min(free)
