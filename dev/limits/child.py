"""Runs a real handler in a process that has the memory of its function, and measures each call.

Reads a line of JSON per round from standard input, a list of events, and calls the handler on all of them at
once, each in a process of its own when there are several. Writes a line of JSON, a list of invocations.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev.limits.invocation import Invocation, scaled_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

FORK = get_context("fork")
MEGABYTE = 1 << 20


def _wall_seconds() -> float:
    """Return a time that stands still while this process waits for a CPU of this machine.

    In Lambda each copy has its share to itself, which `scaled_seconds` counts; here all share a few cores.
    https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
    """
    queued_nanoseconds = int(Path("/proc/self/schedstat").read_text("ascii").split()[1])
    return time.perf_counter() - queued_nanoseconds / 1e9


@dataclass
class Context:
    """What Lambda tells a function of itself; the time that is left is that of the function's CPU share."""

    function_name: str
    timeout_seconds: float
    cpu_share: float
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-north-1:123456789012:function:els"
    aws_request_id: str = "limits"
    _wall: float = field(default_factory=_wall_seconds)
    _cpu: float = field(default_factory=time.process_time)

    def spent(self) -> tuple[float, float]:
        """Return the seconds and the CPU seconds since the beginning."""
        return _wall_seconds() - self._wall, time.process_time() - self._cpu

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that Lambda would say is left."""
        return int(1_000 * (self.timeout_seconds - scaled_seconds(*self.spent(), self.cpu_share)))


@dataclass(frozen=True)
class Function:
    """A handler and its limits."""

    name: str
    handle: Callable[[Any, Context], Any]
    timeout_seconds: float
    cpu_share: float

    def invoke(self, event: Any, start: Barrier | None = None) -> Invocation:
        """Call the handler once; with a barrier, at the same moment as the others."""
        if start is not None:
            start.wait()
        context = Context(self.name, self.timeout_seconds, self.cpu_share)
        answer, error = None, None
        try:
            answer = self.handle(event, context)
        except BaseException:  # noqa: BLE001 - a MemoryError is reported too
            error = traceback.format_exc(limit=-3)
        return Invocation(*context.spent(), _peak_mb(), answer, error)


_copy: list[tuple[Function, Barrier]] = []


def _together(function: Function, events: list[Any]) -> list[Invocation]:
    """Call the handler on all events at once, each in a copy of this process."""
    start = FORK.Barrier(len(events))
    with ProcessPoolExecutor(len(events), FORK, initializer=_hold, initargs=(function, start)) as pool:
        return list(pool.map(_invoke_in_copy, events))


def _hold(function: Function, start: Barrier) -> None:
    _copy.append((function, start))


def _invoke_in_copy(event: Any) -> Invocation:
    [(function, start)] = _copy
    return function.invoke(event, start)


def _peak_mb() -> float:
    """Return the peak of this process alone; `ru_maxrss` begins with that of the process that started it."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    peak = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * 1_024 / MEGABYTE


def main() -> None:
    """Serve rounds until standard input ends."""
    name, memory_mb, timeout_seconds, cpu_share = sys.argv[1:]
    limit = int(memory_mb) * MEGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a function logs is not measured here
    handler = importlib.import_module(f"functions.{name}.handler")
    function = Function(name, handler.handle, float(timeout_seconds), float(cpu_share))
    for line in sys.stdin:
        events = json.loads(line)
        invocations = [function.invoke(events[0])] if len(events) == 1 else _together(function, events)
        answers.write(json.dumps([asdict(one) for one in invocations]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
