"""The real Lambda runtime without Docker: the emulator of the SAM CLI runs a function as it was built.

One emulator is one Lambda instance and serves one request at a time. After its runtime was killed, the next
call is a cold start. The emulator exists for Linux only, on x86-64 and arm64.
https://docs.aws.amazon.com/lambda/latest/dg/images-test.html
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from enum import StrEnum
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import psutil

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerError, ServerProcess, free_port
from dev.programs.tools import SAM, SHARED_LAYERS, environment, tool

if TYPE_CHECKING:
    from collections.abc import Mapping

INVOKE = "/2015-03-31/functions/function/invocations"
# The emulator answers when the function times out; if it has not answered this long after, it hangs.
GRACE_SECONDS = 10
HTTP_OK = 200
LAYERS = {"MigrateDatabaseFunction": ("MigrationsLayer",)}


class InvocationError(Exception):
    """The function raised, timed out or died; an event source mapping would retry the whole batch.

    `kind` is the type of the error: `Runtime.ExitError` for a killed runtime, `Timeout`, or the raised class.
    """

    def __init__(self, function: str, kind: str, reason: str) -> None:
        super().__init__(f"{function}: {kind}: {reason[:300]}")
        self.kind = kind


class InstanceState(StrEnum):
    """What an instance is doing at the moment."""

    IDLE = "idle"
    COLD_START = "cold start"
    INVOCATION = "invocation"


@cache
def emulator() -> str:
    """Return the path of the emulator for this machine, inside the SAM CLI's own environment."""
    if (reason := why_no_emulator()) is not None:
        raise ServerError(reason)
    where = "import pathlib, samcli; print(pathlib.Path(samcli.__file__).parent)"
    command = [*tool("python", *SAM), "-c", where]
    found = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    program = Path(found.stdout.strip()) / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    if not os.access(program, os.X_OK):
        program.chmod(0o755)
    return str(program)


def why_no_emulator(system: str = platform.system()) -> str | None:
    """Return why this machine cannot run the emulator, or None where it can."""
    if system == "Linux":
        return None
    return (
        f"The Lambda runtime emulator runs on Linux only, and this is {system}: "
        "use a Linux machine or container; make demo needs no emulator."
    )


class LambdaRuntime(Lifecycle):
    """One instance of a built function, in a temporary folder that is removed with it."""

    def __init__(self, built: Path, function: str, settings: Mapping[str, str], timeout_seconds: int) -> None:
        self.function = function
        self._built = built
        self._settings = dict(settings)
        self._timeout_seconds = timeout_seconds
        self._folder = Path(mkdtemp(prefix="els-lambda-"))
        self._port = 0
        self._server: ServerProcess | None = None
        self.state = InstanceState.IDLE
        self.is_warm = False
        self.hung = 0  # how often the emulator hung and was replaced

    def _open(self) -> None:
        self._start()

    def close(self) -> None:
        """Kill the instance and remove its folder."""
        if self._server is not None:
            self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Invoke the function and return its answer; raise `InvocationError` when it fails."""
        self.state = InstanceState.INVOCATION if self.is_warm else InstanceState.COLD_START
        try:
            answer = self._answer(json.dumps(event))
        except InvocationError:
            self.is_warm = False
            raise
        finally:
            self.state = InstanceState.IDLE
        self.is_warm = True
        return answer

    def kill(self) -> bool:
        """Send SIGKILL to the runtime, not to the emulator; return whether there was one."""
        runtime = self._runtime()
        if runtime is None:
            return False
        with suppress(psutil.NoSuchProcess):
            runtime.kill()
        self.is_warm = False
        return True

    def memory(self) -> int:
        """Return the resident set size of the runtime in bytes, 0 when it does not run."""
        runtime = self._runtime()
        try:
            return int(runtime.memory_info().rss) if runtime else 0
        except psutil.NoSuchProcess:
            return 0

    def log(self) -> str:
        """Return the log of the function."""
        return (self._folder / "log").read_text(errors="replace")

    def _start(self) -> None:
        self._port, runtime_port = free_port(), free_port()
        addresses = {"runtime-interface-emulator": self._port, "runtime-api": runtime_port}
        options = [
            part for name, port in addresses.items() for part in (f"--{name}-address", f"127.0.0.1:{port}")
        ]
        command = [emulator(), "--log-level", "error", *options]
        program = [sys.executable, "-m", "awslambdaric", "handler.handle"]
        self._server = ServerProcess(
            [*command, *program],
            self._folder / "log",
            environment=self._environment(),
            cwd=self._built / self.function,
        ).start(self._listens)

    def _environment(self) -> dict[str, str]:
        layers = SHARED_LAYERS + LAYERS.get(self.function, ())
        return environment(
            **self._settings,
            AWS_LAMBDA_FUNCTION_NAME=self.function,
            AWS_LAMBDA_FUNCTION_TIMEOUT=str(self._timeout_seconds),
            PYTHONPATH=os.pathsep.join(str(self._built / layer / "python") for layer in layers),
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def _answer(self, event: str) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_seconds + GRACE_SECONDS)
        try:
            connection.request("POST", INVOKE, event)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, HTTPException) as error:
            self._restart()
            raise InvocationError(self.function, "Emulator", str(error)) from error
        finally:
            connection.close()
        return _parse(self.function, status, body)

    def _restart(self) -> None:
        """Replace an emulator that hangs, as it does when a runtime dies while it registers."""
        self.hung += 1
        if self._server is not None:
            self._server.kill()
        self._start()

    def _runtime(self) -> psutil.Process | None:
        if self._server is None:
            raise ServerError(f"{self.function} was not started")
        return next(iter(self._server.children()), None)


def _parse(function: str, status: int, body: bytes) -> Any:
    """Return the answer; errors and timeouts have HTTP status 200 too, so the body decides."""
    text = body.decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        kind = "Timeout" if "timed out" in text else f"HTTP {status}"
        raise InvocationError(function, kind, text) from None
    if isinstance(answer, dict) and "errorType" in answer:
        raise InvocationError(function, answer["errorType"], str(answer.get("errorMessage")))
    if status != HTTP_OK:
        raise InvocationError(function, f"HTTP {status}", text)
    return answer
