"""A random world: a storm in which everything may happen at every call, then quiet, then the judgement."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.domain.batches import Registration, Status
from tests.fakes.queues import MAX_RECEIVES
from tests.simulation.fault_schedule import KINDS, ORDINARY, Weather
from tests.simulation.messages import letters
from tests.simulation.traced_world import WatchedWorld
from tests.simulation.upstream import body_of
from tests.simulation.verdicts import PromiseBrokenError, final_breaches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from dev.invariants.checks import Violation
    from tests.fakes.cooperative_scheduler import Task
    from tests.simulation.choices import Choices
    from tests.simulation.messages import Letter

MOST_TASKS = 5
# What one visit to a function copy is, as often as it stands here.
FUNCTIONS = (*("provision",) * 5, *("register",) * 2, "sweep", "relay")


class RandomWorld(WatchedWorld):
    """One world; `plan` draws what is sent and which troubles there are, `course` what happens when.

    `omitted` letters, by their places, are not sent.
    """

    def __init__(self, plan: Choices, course: Choices, omitted: AbstractSet[int] = frozenset()) -> None:
        super().__init__(course)
        self.turn = 0
        self.current: Task | None = None
        kinds = frozenset([ORDINARY, *(kind for kind in KINDS if plan.chance(50))])
        self._weather = Weather(self, kinds)
        self._storm = 30 + plan.below(150)
        self._has_waited, self._is_echoed = plan.chance(40), plan.chance(25)
        self.registrations.max_receives = self.arrivals.max_receives = plan.one_of((MAX_RECEIVES, 3))
        self._letters = [letter for at, letter in enumerate(letters(plan)) if at not in omitted]
        self._delivered: list[Letter] = []
        self._started = 0

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
        self.is_stormy = False
        self.tell("the storm is over")
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

    def _final_breaches(self) -> Iterator[Violation]:
        return final_breaches(
            self.books(),
            self._delivered,
            self.dead_letters,
            self.servers.stuck(),
            has_waited=self._has_waited,
        )

    def _repeat(self) -> None:
        """Let Redis forget and send all again: nothing changes, and Redis knows all again."""
        self.tell("Redis forgets everything, and all comes again")
        self.servers.flush()
        before = self.servers.pages()
        touched = {arrival.batch_id for arrival in self.sent}
        for registration in self.registered:
            if registration.batch_id not in touched:
                self.registrations.send(body_of(registration))
        for arrival in self.sent:
            self.arrivals.send(body_of(arrival))
        self.drain()
        for batch_id, page in self.servers.pages().items():
            if (
                page.comparable() != before[batch_id].comparable()
                and page.batch.status is not Status.TIMED_OUT
            ):
                self.breach(8, batch_id, "repetitions changed it")
        for what in self.misknown():
            self.breach(10, "", what)
        for breach in self._final_breaches():
            raise PromiseBrokenError(breach)

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
