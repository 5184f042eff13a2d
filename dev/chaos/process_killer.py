"""kill -9 at random, again and again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from dev.servers.lambda_runtime import InstanceState

if TYPE_CHECKING:
    from random import Random

    from dev.chaos.lambda_fleet import Fleet
    from dev.chaos.worker_threads import Crew
    from dev.servers.lambda_runtime import LambdaRuntime

BETWEEN_SECONDS = (0.1, 0.7)
AIMED = 0.6  # the share of kills that wait for a function at work, however short its work is
AIM_LOOKS, AIM_SECONDS = 150, 0.002
WORK_SECONDS = 0.03  # about what an invocation takes


@dataclass
class Killer:
    """Kills a runtime at a random moment; `kills` says what it was doing."""

    fleet: Fleet
    random: Random
    crew: Crew
    kills: Counter[str] = field(default_factory=Counter)
    is_done: Event = field(default_factory=Event)

    def strike(self) -> None:
        """Wait a random time, then kill a random runtime."""
        self.crew.pause(self.random.uniform(*BETWEEN_SECONDS))
        if self.is_done.is_set():
            return
        runtime = self._target()
        doing = runtime.state
        if runtime.kill():
            self.kills[doing] += 1

    def _target(self) -> LambdaRuntime:
        """Choose any instance, or look for one at work and let it go on for a random moment."""
        if self.random.random() < AIMED:
            for _ in range(AIM_LOOKS):
                working = [
                    runtime for runtime in self.fleet.runtimes if runtime.state is InstanceState.INVOCATION
                ]
                if working:
                    self.crew.pause(self.random.uniform(0, WORK_SECONDS))
                    return self.random.choice(working)
                self.crew.pause(AIM_SECONDS)
        return self.random.choice(self.fleet.runtimes)
