"""A random world: a storm in which everything may happen at every call, then quiet, then the judgement."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dev.books import Books
from dev.promises import Breach, breaches
from els_core.domain.batches import Registration, Status
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError
from tests.doubles.queues import MAX_RECEIVES, VISIBILITY
from tests.doubles.turns import Turns
from tests.simulation.judging import CommitWatch, PromiseBrokenError, final_breaches, wrong_answers
from tests.simulation.letters import letters
from tests.simulation.processes import SkewedProcess
from tests.simulation.servers import WatchedBus, WatchedDeadLetters, WatchedStores
from tests.simulation.story import Story
from tests.simulation.upstream import body_of
from tests.simulation.weather import KINDS, ORDINARY, Weather
from tests.simulation.world import ROUNDS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from els_core.application.taking_in import Intake, Record
    from els_core.domain.arrivals import Key
    from els_core.domain.outcomes import Outcome
    from tests.doubles.queues import FakeQueue
    from tests.doubles.turns import Task
    from tests.simulation.choices import Choices
    from tests.simulation.letters import Letter

MOST_TASKS = 5
SKEWS = tuple(timedelta(days=days) for days in (0, -2, 2, 400))
# What one visit to a function copy is, as often as it stands here.
FUNCTIONS = (*("provision",) * 5, *("register",) * 2, "sweep", "relay")


class RandomWorld(World):
    """One world; `plan` draws what is sent and which troubles there are, `course` what happens when."""

    def __init__(self, plan: Choices, course: Choices) -> None:
        self.course = course
        self.turns = Turns()
        self.story = Story()
        self.servers = WatchedStores(self, self._pick)
        super().__init__(self.servers, self.turns)
        self.bus = WatchedBus(self)
        self.dead_letters = WatchedDeadLetters(self)
        self.turn = 0
        self.current: Task | None = None
        self.struck: set[str] = set()
        self._is_stormy = True
        kinds = frozenset([ORDINARY, *(kind for kind in KINDS if plan.chance(50))])
        self._weather = Weather(self, kinds)
        self._storm = 30 + plan.below(150)
        self._has_waited, self._is_echoed = plan.chance(40), plan.chance(25)
        self.registrations.max_receives = self.arrivals.max_receives = plan.one_of((MAX_RECEIVES, 3))
        self._letters = letters(plan)
        self._delivered: list[Letter] = []
        self._decided: dict[str, dict[Key, Outcome]] = {}
        self._started = 0
        self._watch = CommitWatch(self.servers.record.database)

    def live(self) -> None:
        """Storm, quiet, judgement; raise `PromiseBrokenError` when a promise is."""
        while self.turn < self._storm:
            if self._letters and not self.course.chance(40):
                self.post()
            else:
                self.start()
            self.turns.run(self._choose)
            self.turn += 1
        self._weather.clear()
        self._is_stormy = False
        self.tell("the storm is over")
        self.turns.run(lambda ready: ready[0])
        while self._letters:
            self.post()
        self.drain()
        if self._has_waited:
            self.tell("two days pass")
            self.advance(timedelta(days=2))
            self.drain()
        self._judge()

    def _judge(self) -> None:
        for breach in self._final_breaches():
            raise PromiseBrokenError(breach)
        if self._is_echoed:
            self._repeat()

    def _final_breaches(self) -> Iterator[Breach]:
        return final_breaches(self.books(), self._delivered, self.dead_letters, has_waited=self._has_waited)

    def _repeat(self) -> None:
        """Let Redis forget and send all again: nothing changes, and Redis knows all again."""
        self.tell("Redis forgets everything, and all comes again")
        self.servers.flush()
        before = self.servers.pages()
        for registration in self.registered:
            self.registrations.send(body_of(registration))
        for arrival in self.sent:
            self.arrivals.send(body_of(arrival))
        self.drain()
        for batch_id, page in self.servers.pages().items():
            if page.facts() != before[batch_id].facts() and page.batch.status is not Status.TIMED_OUT:
                self.breach(8, batch_id, "repetitions changed it")
        for what in self.misknown():
            self.breach(10, "", what)
        for breach in self._final_breaches():
            raise PromiseBrokenError(breach)

    def tell(self, what: str, *about: object) -> None:
        """Put a line into the story."""
        self.story.add(self.turns.running, what, about)

    def breach(self, promise: int, batch_id: str, what: str) -> None:
        """End the world."""
        raise PromiseBrokenError(Breach(promise, batch_id, what))

    def _choose(self, ready: Sequence[Task]) -> Task:
        while self.turn < self._storm:
            self.turn += 1
            if (task := self._weather.turn(ready)) is not None:
                self.current = task
                return task
        return ready[0]

    def post(self) -> None:
        """Let upstream send the next letter, if there is one."""
        if not self._letters:
            return
        letter = self._letters.pop(0)
        self.tell("upstream sends {}", letter.what)
        (self.registrations if letter.is_registration else self.arrivals).send(letter.body)
        self._delivered.append(letter)
        if isinstance(letter.announced, Registration):
            self.registered.append(letter.announced)
        elif letter.announced is not None:
            self.sent.append(letter.announced)

    def start(self) -> Task | None:
        """Let some function begin, unless too many are at work."""
        if len(self.turns.tasks) >= MOST_TASKS:
            return None
        name = self.course.one_of(FUNCTIONS)
        self._started += 1
        return self.turns.spawn(f"{name}-{self._started}", getattr(self, name))

    def provision(self, limit: int = 10) -> bool:
        """Let one process take arrivals; tell whether there were any."""
        return self._invoke(lambda: self._take(self.arrivals, self._process().provision_content(), limit))

    def register(self, limit: int = 10) -> bool:
        """Let one process take registrations; tell whether there were any."""
        return self._invoke(lambda: self._take(self.registrations, self._process().register_batch(), limit))

    def sweep(self) -> None:
        """Let one process sweep."""
        self._invoke(lambda: bool(self._process().expire_batches()(lambda: True)))

    def relay(self) -> None:
        """Let one process send what was left behind."""
        self._invoke(lambda: bool(self._process().publish_outbox()(lambda: True)))

    def _process(self) -> SkewedProcess:
        return SkewedProcess(self, self.course.one_of(SKEWS) if self._is_stormy else SKEWS[0])

    def _take[Item, Report](self, queue: FakeQueue, intake: Intake[Item, Report], limit: int) -> bool:
        records = queue.receive(limit, self._order)
        if not records:
            return False
        me = self.turns.running
        self._decided[me] = {}
        self.tell("receives {}", " ".join(record.message_id for record in records))
        taken = intake(records)
        for fault in taken.faults:
            self._require_injected(fault)
        if me not in self.struck and queue is self.arrivals:
            for breach in wrong_answers(taken.reports, self._decided[me]):
                raise PromiseBrokenError(breach)
        queue.acknowledge([r.message_id for r in records if r.message_id not in taken.come_back])
        if self._is_stormy and self.course.chance(50):
            queue.come_back(taken.come_back)
        return True

    def _invoke(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever escapes is judged
            self._require_injected(error)
            return True

    def _require_injected(self, fault: Exception) -> None:
        """End the world for a fault that no trouble explains."""
        if not self._is_stormy or not isinstance(fault, ExternalServiceError | CoordinationTimeoutError):
            self.breach(11, "", f"{type(fault).__name__}: {fault}")
        self.tell("meets {}", type(fault).__name__)

    def committed(self, decided: dict[Key, Outcome]) -> None:
        """Check the promises on what a commit has changed; nothing else changes the record."""
        self._decided.setdefault(self.turns.running, {}).update(decided)
        books = Books(
            self.servers.now(),
            self.registered,
            self.sent,
            {batch_id: self.servers.page(batch_id) for batch_id in self._watch.changed()},
            self.servers.outbox(),
            self.bus.taken,
        )
        for page in books.pages.values():
            row = page.batch
            self.tell(
                "commits {} v{} {} {}+{} of {}",
                row.batch_id,
                row.version,
                row.status.value,
                row.assigned_count,
                row.failed_count,
                row.expected_count,
            )
        for breach in breaches(books, is_quiet=False):
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

    def _order(self, visible: Sequence[Record]) -> Sequence[Record]:
        """Draw which visible messages come, and in what order."""
        return self.course.some_of(visible) if self._is_stormy else visible

    def _pick(self, free: set[str]) -> str:
        """Draw the member that SPOP takes."""
        return self.course.one_of(sorted(free)) if self._is_stormy else min(free)
