"""What may happen at each step of a simulated run. Which kinds of faults a run has is chosen once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from els_core.adapters.postgres.errors import ConflictError, DisconnectedError
from els_core.adapters.redis import keys
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError, FaultError
from tests.simulation.messages import BATCH_IDS
from tests.simulation.observer import ClientTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fakes.batch_keys import BatchKeys
    from tests.fakes.cooperative_scheduler import Task
    from tests.simulation.simulated_run import SimulatedRun

LONGEST_OUTAGE = 40  # steps
JUMPS = tuple(timedelta(seconds=seconds) for seconds in (1, 15, 200, 700, 7_300, 90_000))
SERVICES = {"propose": "Redis", "install": "Redis", "publish": "EventBridge", "send dead letters": "SQS"}
POSTGRES_ERRORS = (DisconnectedError, ExternalServiceError, CoordinationTimeoutError, ConflictError)


class FaultSchedule:
    """Chooses one event at each step of a run; faults of other kinds than `kinds` do not happen."""

    def __init__(self, run: SimulatedRun, kinds: frozenset[str]) -> None:
        self._run = run
        self._kinds = kinds
        self._outages: list[tuple[int, Callable[[], None]]] = []
        self._snapshot: dict[str, BatchKeys] = {}
        self._replica: dict[str, BatchKeys] = {}

    def next(self, ready: Sequence[Task]) -> Task | None:
        """Let one event happen; return the task to resume, or None when the event resumes none."""
        for end in [end for until, end in self._outages if until <= self._run.step]:
            end()
        self._outages = [(until, end) for until, end in self._outages if until > self._run.step]
        event = WEIGHTED_EVENTS[self._run.choices.below(len(WEIGHTED_EVENTS))]
        return event.apply(self, ready) if event.kind in self._kinds else None

    def end_outages(self) -> None:
        """End every outage."""
        for _, end in self._outages:
            end()
        self._outages = []

    def continue_task(self, ready: Sequence[Task]) -> Task | None:
        return next((task for task in ready if task is self._run.current), ready[0])

    def switch_task(self, ready: Sequence[Task]) -> Task | None:
        return self._run.choices.one_of(ready)

    def invoke(self, ready: Sequence[Task]) -> Task | None:
        del ready
        return self._run.invoke()

    def send_next(self, ready: Sequence[Task]) -> Task | None:
        del ready
        self._run.send_next()
        return None

    def kill_process(self, ready: Sequence[Task]) -> Task | None:
        """Kill a process before a call, or while the answer is in flight."""
        victim = self._run.choices.one_of(ready)
        if victim.name.startswith("late"):
            return None
        self._run.log("{} is killed at: {}", victim.name, victim.at)
        victim.kill()
        return victim

    def fail_call(self, ready: Sequence[Task]) -> Task | None:
        """Let a call fail before it is made, or lose its answer, or be executed after a client timeout."""
        choices = self._run.choices
        victim = choices.one_of(ready)
        call = victim.at.removeprefix("answer of ")
        if victim.at == "start" or victim.at.startswith(("receive", "acknowledge")):
            return None
        service = SERVICES.get(call, "Postgres")
        error: type[FaultError]
        if service == "Postgres":
            may_time_out = (ClientTimeoutError,) if victim.at == "commit" else ()
            error = choices.one_of((*POSTGRES_ERRORS, *may_time_out))
            if victim.at == "answer of commit":
                error = DisconnectedError
        elif call == victim.at:
            error = choices.one_of((ExternalServiceError, ClientTimeoutError))
        else:
            error = ExternalServiceError
        if service not in self._kinds or victim.name.startswith("late"):
            return None
        self._run.log("{}: {} at: {}", victim.name, error.__name__, victim.at)
        self._run.disturbed.add(victim.name)
        victim.fail_with(error(call, service=service, details="injected"))
        return victim

    def flush_redis(self, ready: Sequence[Task]) -> None:
        del ready
        self._run.log("Redis is flushed")
        self._run.stores.redis.flush()

    def take_snapshot(self, ready: Sequence[Task]) -> None:
        del ready
        self._run.log("Redis saves a snapshot")
        self._snapshot = self._run.stores.redis.copy()

    def restore_snapshot(self, ready: Sequence[Task]) -> None:
        del ready
        self._run.log("Redis restarts from its snapshot")
        self._run.stores.redis.restore(self._snapshot)

    def replicate(self, ready: Sequence[Task]) -> None:
        del ready
        self._run.log("the replica of Redis catches up")
        self._replica = self._run.stores.redis.copy()

    def fail_over(self, ready: Sequence[Task]) -> None:
        del ready
        self._run.log("Redis fails over to its replica: the last writes are lost")
        self._run.stores.redis.restore(self._replica)

    def damage_key(self, ready: Sequence[Task]) -> None:
        """Delete one key, or replace it by a value of another type."""
        del ready
        choices, redis = self._run.choices, self._run.stores.redis
        batch_id, name = choices.one_of(BATCH_IDS), choices.one_of(keys.ALL)
        is_deleted = choices.below(2) == 0
        self._run.log("Redis key is {}: {} of {}", "deleted" if is_deleted else "corrupted", name, batch_id)
        (redis.delete_key if is_deleted else redis.corrupt)(batch_id, name)

    def answer_wrongly(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._run.stores.redis.answers_wrongly = False

        self._run.stores.redis.answers_wrongly = True
        self._begin_outage("Redis answers at random", end)

    def stop_redis(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._run.stores.redis.is_down = False

        self._run.stores.redis.is_down = True
        self._begin_outage("Redis is down", end)

    def stop_postgres(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._run.stores.repository.is_down = False

        self._run.stores.repository.is_down = True
        self._begin_outage("Postgres is down", end)

    def stop_aws(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._run.bus.is_down = self._run.dead_letters.is_down = False

        self._run.bus.is_down = self._run.dead_letters.is_down = True
        self._begin_outage("the bus and the dead-letter queues are down", end)

    def reject_entries(self, ready: Sequence[Task]) -> None:
        del ready

        def end() -> None:
            self._run.bus.rejects = lambda _: False
            self._run.dead_letters.rejects = lambda _: False

        parity = self._run.choices.below(2)
        self._run.bus.rejects = lambda message: message.event_id.int % 2 == parity
        self._run.dead_letters.rejects = lambda letter: len(letter.message.message_id) % 2 == parity
        self._begin_outage("the bus and the dead-letter queues reject some entries", end)

    def jump_clock(self, ready: Sequence[Task]) -> None:
        del ready
        span = self._run.choices.one_of(JUMPS)
        self._run.log("{} pass", span)
        self._run.advance(span)

    def _begin_outage(self, what: str, end: Callable[[], None]) -> None:
        steps = 1 + self._run.choices.below(LONGEST_OUTAGE)
        self._run.log("{} for {} steps", what, steps)
        self._outages.append((self._run.step + steps, end))


class ScheduledEvent(NamedTuple):
    """An event that happens `weight` times in a thousand steps, if its kind is part of the run."""

    weight: int
    kind: str
    apply: Callable[[FaultSchedule, Sequence[Task]], Task | None]


NO_FAULT = ""
# A run has each kind with a probability of one half.
FAULT_KINDS = (
    "crashes",
    "Redis",
    "Postgres",
    "EventBridge",
    "SQS",
    "lost data",
    "wrong answers",
    "outages",
    "clock jumps",
)
EVENTS = (
    ScheduledEvent(430, NO_FAULT, FaultSchedule.continue_task),
    ScheduledEvent(220, NO_FAULT, FaultSchedule.switch_task),
    ScheduledEvent(100, NO_FAULT, FaultSchedule.invoke),
    ScheduledEvent(60, NO_FAULT, FaultSchedule.send_next),
    ScheduledEvent(60, NO_FAULT, FaultSchedule.fail_call),  # its kind is the service that it calls
    ScheduledEvent(25, "crashes", FaultSchedule.kill_process),
    ScheduledEvent(10, "lost data", FaultSchedule.flush_redis),
    ScheduledEvent(8, "lost data", FaultSchedule.take_snapshot),
    ScheduledEvent(8, "lost data", FaultSchedule.restore_snapshot),
    ScheduledEvent(12, "lost data", FaultSchedule.replicate),
    ScheduledEvent(8, "lost data", FaultSchedule.fail_over),
    ScheduledEvent(10, "lost data", FaultSchedule.damage_key),
    ScheduledEvent(6, "wrong answers", FaultSchedule.answer_wrongly),
    ScheduledEvent(4, "outages", FaultSchedule.stop_redis),
    ScheduledEvent(4, "outages", FaultSchedule.stop_postgres),
    ScheduledEvent(4, "outages", FaultSchedule.stop_aws),
    ScheduledEvent(8, "outages", FaultSchedule.reject_entries),
    ScheduledEvent(23, "clock jumps", FaultSchedule.jump_clock),
)
WEIGHTED_EVENTS = tuple(event for event in EVENTS for _ in range(event.weight))
