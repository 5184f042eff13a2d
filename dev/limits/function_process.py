"""A function in a process of its own, which has no more memory than the function has."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

from dev.limits.invocation import Invocation
from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerError
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev.limits.template import FunctionLimits


class FunctionProcess(Lifecycle):
    """Starts the process, calls the handler in it, and ends it."""

    def __init__(self, function: str, limits: FunctionLimits, environment: Mapping[str, str]) -> None:
        arguments = [function, str(limits.memory_mb), str(limits.timeout_seconds), str(limits.cpu_share)]
        self._command = [sys.executable, "-m", "dev.limits.child", *arguments]
        self._environment = dict(environment)
        self._process: subprocess.Popen[str] | None = None

    def _open(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self._environment,
        )

    def close(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def invoke(self, events: Sequence[Any]) -> list[Invocation]:
        """Call the handler on all events at once; raise `ServerError` when the process died."""
        requests, answers = self._pipes()
        requests.write(json.dumps(list(events)) + "\n")
        requests.flush()
        line = answers.readline()
        if not line:
            raise ServerError(f"the process of the function died: {' '.join(self._command)}")
        return [Invocation(**one) for one in json.loads(line)]

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ServerError("the process of the function was not started")
        return process.stdin, process.stdout
