"""Kills function instances with SIGKILL at random moments."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from dev.servers.lambda_runtime import InstanceState

if TYPE_CHECKING:
    from random import Random

    from dev.chaos.lambda_fleet import LambdaFleet
    from dev.chaos.worker_threads import WorkerThreads
    from dev.servers.lambda_runtime import LambdaRuntime

INTERVAL_SECONDS = (0.1, 0.7)
# Most invocations are short: without aiming, nearly all kills would hit an idle instance.
AIMED_SHARE = 0.6
AIM_TRIES, AIM_SECONDS = 150, 0.002
INVOCATION_SECONDS = 0.03  # about what an invocation takes


@dataclass
class ProcessKiller:
    """Kills one instance per step; `kills` counts by what the instance was doing."""

    fleet: LambdaFleet
    random: Random
    threads: WorkerThreads
    kills: Counter[str] = field(default_factory=Counter)
    stopped: Event = field(default_factory=Event)

    def step(self) -> None:
        """Wait for a random time, then kill a random instance."""
        self.threads.wait(self.random.uniform(*INTERVAL_SECONDS))
        if self.stopped.is_set():
            return
        runtime = self._target()
        doing = runtime.state
        if runtime.kill():
            self.kills[doing] += 1

    def _target(self) -> LambdaRuntime:
        """Choose any instance, or wait for one that handles an event and then for a random moment of it."""
        if self.random.random() < AIMED_SHARE:
            for _ in range(AIM_TRIES):
                working = [
                    runtime for runtime in self.fleet.runtimes if runtime.state is InstanceState.INVOCATION
                ]
                if working:
                    self.threads.wait(self.random.uniform(0, INVOCATION_SECONDS))
                    return self.random.choice(working)
                self.threads.wait(AIM_SECONDS)
        return self.random.choice(self.fleet.runtimes)
