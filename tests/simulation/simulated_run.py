"""One simulated run: a phase in which anything may happen at every call, then recovery, then the checks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from els_core.application.commands import CommandRequest
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration, Status
from tests.fakes.queues import MAX_RECEIVE_COUNT
from tests.simulation.fault_schedule import FAULT_KINDS, NO_FAULT, FaultSchedule
from tests.simulation.messages import planned_messages
from tests.simulation.planned_commands import with_commands
from tests.simulation.producer import body_of
from tests.simulation.run_checks import InvariantViolated, final_violations
from tests.simulation.traced_environment import TracedEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from dev.invariants.checks import Violation
    from tests.fakes.cooperative_scheduler import Task
    from tests.simulation.choices import Choices
    from tests.simulation.messages import PlannedMessage

MAX_TASKS = 5
# Functions to invoke; one that is listed more often is invoked more often.
FUNCTIONS = (*("provision",) * 5, *("register",) * 2, "sweep", "relay")


class SimulatedRun(TracedEnvironment):
    """One run. `plan` chooses the messages and the kinds of faults, `choices` what happens at each step.

    The messages at the positions `omitted` are not sent.
    """

    def __init__(self, plan: Choices, choices: Choices, omitted: AbstractSet[int] = frozenset()) -> None:
        super().__init__(choices)
        self.step = 0
        self.current: Task | None = None
        kinds = frozenset([NO_FAULT, *(kind for kind in FAULT_KINDS if plan.chance(50))])
        self._schedule = FaultSchedule(self, kinds)
        self._fault_steps = 30 + plan.below(150)
        self._outlasts_parking, self._redelivers_all = plan.chance(40), plan.chance(25)
        max_receive_count = plan.one_of((MAX_RECEIVE_COUNT, 3))
        for queue in (self.registrations, self.arrivals, self.commands):
            queue.max_receive_count = max_receive_count
        planned = planned_messages(plan)
        self._delivered: list[PlannedMessage] = []
        self._invocations = 0
        self._functions: tuple[str, ...] = FUNCTIONS
        self.time_is_short = plan.chance(50)
        messages = with_commands(plan, planned)
        if any(isinstance(message.event, CommandRequest) for message in messages):
            self._functions = (*FUNCTIONS, *("steer",) * 2)
        self._unsent = [message for position, message in enumerate(messages) if position not in omitted]

    def execute(self) -> None:
        """Execute the run; raise `InvariantViolated` at the first violation."""
        while self.step < self._fault_steps:
            if self._unsent and not self.choices.chance(40):
                self.send_next()
            else:
                self.invoke()
            self.scheduler.run(self._choose)
            self.step += 1
        self._schedule.end_outages()
        self.injects_faults = False
        self.log("no more faults")
        while self._unsent:
            self.send_next()
        self.drain()
        if self._outlasts_parking:
            self.log("two days pass")
            self.advance(timedelta(days=2))
            self.drain()
        self._check()
        if self._redelivers_all:
            self._redeliver_all()
            self._check()

    def _check(self) -> None:
        for violation in self._final_violations():
            raise InvariantViolated(violation)

    def _final_violations(self) -> Iterator[Violation]:
        return final_violations(
            self.evidence(),
            self._delivered,
            self.dead_letters,
            self.stores.undecidable(),
            parking_is_over=self._outlasts_parking,
        )

    def _redeliver_all(self) -> None:
        """Flush Redis and deliver everything again: no batch may change, and Redis must be right again."""
        self.log("Redis is flushed, and all messages are delivered again")
        self.stores.flush()
        before = self.stores.batches()
        with_arrivals = {arrival.batch_id for arrival in self.sent}
        for registration in self.registered:
            if registration.batch_id not in with_arrivals:
                self.registrations.send(body_of(registration))
        for arrival in self.sent:
            self.arrivals.send(body_of(arrival))
        self.drain()
        for batch_id, found in self.stores.batches().items():
            is_changed = found.comparable() != before[batch_id].comparable()
            if is_changed and found.batch.status is not Status.TIMED_OUT:
                self.fail(8, batch_id, "redelivery changed it")
        for error in self.coordinator_errors():
            self.fail(10, "", error)

    def _choose(self, ready: Sequence[Task]) -> Task:
        while self.step < self._fault_steps:
            self.step += 1
            if (task := self._schedule.next(ready)) is not None:
                self.current = task
                return task
        return ready[0]

    def send_next(self) -> None:
        """Send the next planned message, if one is left."""
        if not self._unsent:
            return
        message = self._unsent.pop(0)
        self.log("the producer sends {}", message.what)
        self._delivered.append(message)
        queue = self.registrations if message.is_registration else self.arrivals
        match message.event:
            case Registration():
                self.registered.append(message.event)
            case Content() | Failure():
                self.sent.append(message.event)
            case CommandRequest():
                self.commanded.append(message.event)
                queue = self.commands
            case None:
                pass
            case _:
                assert_never(message.event)
        queue.send(message.body)

    def invoke(self) -> Task | None:
        """Invoke some function, unless too many tasks are running; return its task."""
        if len(self.scheduler.tasks) >= MAX_TASKS:
            return None
        name = self.choices.one_of(self._functions)
        self._invocations += 1
        return self.scheduler.spawn(f"{name}-{self._invocations}", getattr(self, name))
