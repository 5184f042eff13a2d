"""What may happen at each turn of a random world. Which kinds of trouble a world has at all is drawn once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError
from els_core.adapters.redis import keys
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError, FaultError
from tests.simulation.calls import TooLateError
from tests.simulation.messages import BATCH_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fakes.cooperative_scheduler import Task
    from tests.fakes.memory import Memory
    from tests.simulation.random_world import RandomWorld

LONGEST_OUTAGE = 40  # turns
JUMPS = tuple(timedelta(seconds=seconds) for seconds in (1, 15, 200, 700, 7_300, 90_000))
SERVICES = {"propose": "Redis", "install": "Redis", "publish": "EventBridge", "send dead letters": "SQS"}
POSTGRES_BLOWS = (DisconnectedError, ExternalServiceError, CoordinationTimeoutError, ConflictError)


class Weather:
    """The troubles of one world."""

    def __init__(self, world: RandomWorld, kinds: frozenset[str]) -> None:
        self._world = world
        self._kinds = kinds
        self._until: list[tuple[int, Callable[[], None]]] = []
        self._snapshot: dict[str, Memory] = {}
        self._replica: dict[str, Memory] = {}

    def turn(self, ready: Sequence[Task]) -> Task | None:
        """Let something happen; return the task that goes on, or None when nobody did."""
        for end in [end for until, end in self._until if until <= self._world.turn]:
            end()
        self._until = [(until, end) for until, end in self._until if until > self._world.turn]
        event = EVENTS[self._world.course.below(len(EVENTS))]
        return event.happen(self, ready) if event.kind in self._kinds else None

    def clear(self) -> None:
        """End every trouble."""
        for _, end in self._until:
            end()
        self._until = []

    def go_on(self, ready: Sequence[Task]) -> Task | None:
        return next((task for task in ready if task is self._world.current), ready[0])

    def switch(self, ready: Sequence[Task]) -> Task | None:
        return self._world.course.one_of(ready)

    def start(self, ready: Sequence[Task]) -> Task | None:
        del ready
        return self._world.start()

    def send(self, ready: Sequence[Task]) -> Task | None:
        del ready
        self._world.post()
        return None

    def die(self, ready: Sequence[Task]) -> Task | None:
        """Let a process die where it stands: before a call, or while the answer is on its way."""
        victim = self._world.course.one_of(ready)
        if victim.name.startswith("late"):
            return None
        self._world.tell("{} dies at: {}", victim.name, victim.at)
        victim.kill()
        return victim

    def strike(self, ready: Sequence[Task]) -> Task | None:
        """Let a call fail before it is done, or lose its answer, or do it too late."""
        course = self._world.course
        victim = course.one_of(ready)
        call = victim.at.removeprefix("answer of ")
        if victim.at == "start" or victim.at.startswith(("receive", "acknowledge")):
            return None
        if (service := SERVICES.get(call)) is None:
            service = "Postgres"
            blows = (*POSTGRES_BLOWS, TooLateError) if victim.at == "commit" else POSTGRES_BLOWS
            blow: type[FaultError] = course.one_of(blows)
            if victim.at == "answer of commit":
                blow = DisconnectedError
        else:
            blow = (
                course.one_of((ExternalServiceError, TooLateError))
                if call == victim.at
                else ExternalServiceError
            )
        if service not in self._kinds or victim.name.startswith("late"):
            return None
        self._world.tell("{}: {} at: {}", victim.name, blow.__name__, victim.at)
        self._world.struck.add(victim.name)
        victim.strike(blow(call, service=service, details="struck"))
        return victim

    def flush(self, ready: Sequence[Task]) -> None:
        del ready
        self._world.tell("Redis forgets everything")
        self._world.servers.cache.flush()

    def take_snapshot(self, ready: Sequence[Task]) -> None:
        del ready
        self._world.tell("Redis writes a snapshot")
        self._snapshot = self._world.servers.cache.copy()

    def go_back(self, ready: Sequence[Task]) -> None:
        del ready
        self._world.tell("Redis goes back to its snapshot")
        self._world.servers.cache.restore(self._snapshot)

    def catch_up(self, ready: Sequence[Task]) -> None:
        del ready
        self._world.tell("the replica of Redis catches up")
        self._replica = self._world.servers.cache.copy()

    def fail_over(self, ready: Sequence[Task]) -> None:
        del ready
        self._world.tell("Redis fails over to its replica: the last writes are lost")
        self._world.servers.cache.restore(self._replica)

    def damage(self, ready: Sequence[Task]) -> None:
        """Lose one key, or find something of another type in its place."""
        del ready
        course, cache = self._world.course, self._world.servers.cache
        batch_id, name = course.one_of(BATCH_IDS), course.one_of(keys.ALL)
        is_lost = course.below(2) == 0
        self._world.tell("Redis {} {} of {}", "loses" if is_lost else "spoils", name, batch_id)
        (cache.lose if is_lost else cache.spoil)(batch_id, name)

    def lie(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._world.servers.cache.is_lying = False

        self._world.servers.cache.is_lying = True
        self._trouble("Redis lies", end)

    def lose_redis(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._world.servers.cache.is_down = False

        self._world.servers.cache.is_down = True
        self._trouble("Redis is down", end)

    def lose_postgres(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._world.servers.record.is_down = False

        self._world.servers.record.is_down = True
        self._trouble("Postgres is down", end)

    def lose_bus(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._world.bus.is_down = self._world.dead_letters.is_down = False

        self._world.bus.is_down = self._world.dead_letters.is_down = True
        self._trouble("the bus and the dead-letter queues are down", end)

    def refuse(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._world.bus.refuses = lambda _: False
            self._world.dead_letters.refuses = lambda _: False

        digit = self._world.course.below(2)
        self._world.bus.refuses = lambda message: message.event_id.int % 2 == digit
        self._world.dead_letters.refuses = lambda letter: len(letter.message.message_id) % 2 == digit
        self._trouble("the bus and the dead-letter queues refuse some entries", end)

    def jump(self, ready: Sequence[Task]) -> None:
        del ready
        span = self._world.course.one_of(JUMPS)
        self._world.tell("{} pass", span)
        self._world.advance(span)

    def _trouble(self, what: str, end: Callable[[], None]) -> None:
        turns = 1 + self._world.course.below(LONGEST_OUTAGE)
        self._world.tell("{} for {} turns", what, turns)
        self._until.append((self._world.turn + turns, end))


class Event(NamedTuple):
    """How often it happens, of a thousand; the kind of trouble that it is, none for ordinary life."""

    weight: int
    kind: str
    happen: Callable[[Weather, Sequence[Task]], Task | None]


ORDINARY = ""
# Each kind is as likely as not to be part of a world.
KINDS = ("deaths", "Redis", "Postgres", "EventBridge", "SQS", "memory", "lies", "outages", "time")
ALMANAC = (
    Event(430, ORDINARY, Weather.go_on),
    Event(220, ORDINARY, Weather.switch),
    Event(100, ORDINARY, Weather.start),
    Event(60, ORDINARY, Weather.send),
    Event(60, ORDINARY, Weather.strike),
    Event(25, "deaths", Weather.die),
    Event(10, "memory", Weather.flush),
    Event(8, "memory", Weather.take_snapshot),
    Event(8, "memory", Weather.go_back),
    Event(12, "memory", Weather.catch_up),
    Event(8, "memory", Weather.fail_over),
    Event(10, "memory", Weather.damage),
    Event(6, "lies", Weather.lie),
    Event(4, "outages", Weather.lose_redis),
    Event(4, "outages", Weather.lose_postgres),
    Event(4, "outages", Weather.lose_bus),
    Event(8, "outages", Weather.refuse),
    Event(23, "time", Weather.jump),
)
EVENTS = tuple(event for event in ALMANAC for _ in range(event.weight))
