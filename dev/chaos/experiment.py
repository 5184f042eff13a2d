"""One act: load, kills and faults for a while, then quiet, then the books."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from random import Random
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError
from pg8000.exceptions import Error

from dev.chaos.consumer import Listener
from dev.chaos.environment import World
from dev.chaos.lambda_fleet import Fleet
from dev.chaos.leak_check import Memory
from dev.chaos.process_killer import Killer
from dev.chaos.producer import Upstream
from dev.chaos.reconciliation import Ledger, Record
from dev.chaos.worker_threads import Crew
from dev.chaos.workload import Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dev.chaos.faults import Fault
    from dev.chaos.redis_topologies import Store

QUIET_SECONDS = 240.0


@dataclass
class Act:
    """A run on one kind of store; a context manager around everything that it starts."""

    title: str
    store: Store
    built: Path
    seed: int
    rate: float
    provision: int = 3
    batches: int | None = None  # how many upstream announces; none is as many as there is time for
    watch: Callable[[Act], None] = lambda _act: None
    phase: str = "starting the servers"
    began: float = field(default_factory=monotonic)
    faults: list[str] = field(default_factory=list)
    waits_for: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    breaches: dict[str, list[str]] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.title} {self.seed}")
        self.world = World(self.store, self.built)
        self.crew = Crew()
        self.fleet = Fleet(self.world, self.crew, self.provision)
        self.killer = Killer(self.fleet, Random(self.random.random()), self.crew)
        self.memory = Memory(self.fleet)
        self.time_is_over, self.all_is_said = Event(), Event()

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.world)
            self.phase = "starting the functions"
            self._stack.enter_context(self.fleet)
            self._stack.enter_context(self.crew)
            planner = Planner(Random(self.random.random()), f"s{self.seed}")
            self.upstream = Upstream(
                self.world, planner, Random(self.random.random()), self.crew, self.rate, self.batches
            )
            self.listener = Listener(self.world, self.crew)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self, *, with_kills: bool = True) -> None:
        """Put everybody to work."""
        self._sqs = self.world.sqs()
        self.fleet.work()
        self.crew.put_to_work("listener", self.listener.listen)
        self.crew.put_to_work(
            "upstream", lambda: self.upstream.run(self.time_is_over, self.all_is_said), self.all_is_said
        )
        if with_kills:
            self.crew.put_to_work("killer", self.killer.strike, self.killer.is_done)

    def suffer(self, faults: Sequence[Fault]) -> None:
        """Let faults happen at once, and end them all, also when the run is interrupted."""
        self.phase = " + ".join(fault.name for fault in faults)
        with ExitStack() as begun:
            for fault in faults:
                fault.begin()
                begun.callback(fault.end)
                self.faults.append(fault.name)
            self.last(max(fault.seconds for fault in faults))

    def last(self, seconds: float, phase: str | None = None) -> None:
        """Go on for a while, looking after everybody."""
        self.phase = phase or self.phase
        end = monotonic() + seconds
        while monotonic() < end:
            self._look()
            self.crew.pause(min(0.25, max(0.0, end - monotonic())))

    def until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Let upstream finish, then go on until something is so."""
        self.time_is_over.set()
        end = monotonic() + QUIET_SECONDS
        while not (self.all_is_said.is_set() and is_so()):
            if monotonic() > end:
                raise TimeoutError(f"{what}: not so after {QUIET_SECONDS:.0f} s")
            self.last(0.25, f"until {what}")

    def settle(self) -> None:
        """Stop what disturbs, let upstream finish, and wait until nothing moves any more."""
        self.until("upstream has said all, under kills", lambda: True)
        self.killer.is_done.set()
        self.phase = "quiet: no faults, no kills"
        end = monotonic() + QUIET_SECONDS
        while monotonic() < end:
            self.last(0.5)
            self._see()
            if self.waits_for and not any(self.waits_for.values()):
                return

    def balance(self) -> None:
        """Stop everybody and balance the books."""
        self.phase = "balancing the books"
        self.crew.__exit__()
        self.crew.check()
        names = ("register", "provision", "heard")
        left = {name: self.world.depth(self._sqs, self.world.queues[name]) for name in names}
        ledger = Ledger(
            self.upstream.plans,
            self.upstream.poison,
            self.listener.heard,
            Record.read(self.world.postgres),
            left,
            self._dead(),
        )
        self.breaches = ledger.breaches()
        self.phase = "done"
        self.watch(self)

    def _dead(self) -> list[dict[str, Any]]:
        """Take every dead letter out of its queue."""
        letters: list[dict[str, Any]] = []
        for queue in self.world.queues.values():
            while queue.dead_letters:
                url = queue.dead_letters.url
                received = self._sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
                ).get("Messages", [])
                if not received:
                    break
                letters.extend(dict(message) for message in received)
                for message in received:
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return letters

    def _look(self) -> None:
        self.crew.check()
        self.memory.look()
        self.watch(self)

    def _see(self) -> None:
        """See what is still on its way; a server that is not there yet is looked at again."""
        with suppress(Error, OSError, BotoCoreError, ClientError):
            waits = {
                f"in {name}": self.world.depth(self._sqs, self.world.queues[name])
                for name in ("register", "provision", "heard")
            }
            sql = "SELECT status, count(*) FROM batches GROUP BY status"
            self.statuses = {str(status): int(str(n)) for status, n in self.world.postgres.execute(sql)}
            [[unsent]] = self.world.postgres.execute("SELECT count(*) FROM outbox")
            waits["in the outbox"] = int(str(unsent))
            waits["batches open or awaited"] = sum(self.statuses.get(s, 0) for s in ("open", "awaited"))
            self.waits_for = waits
