"""Child processes, each in a process group of its own, so that no process is left behind."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

START_SECONDS = 60


class ServerError(Exception):
    """A program did not start or failed; the message has the end of its log."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that no process uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged() -> str | None:
    """Return the user for servers that refuse to run as root, or None when this process is not root."""
    return pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None


def exit_on_sigterm() -> None:
    """Let SIGTERM raise SystemExit in the main thread, so that every open context manager closes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def run_to_end(command: Sequence[str], seconds: float, *, cwd: Path, environment: Mapping[str, str]) -> str:
    """Run a program in a process group of its own and return its output; no process of it outlives this call.

    Raise `ServerError` with the output when it fails or takes longer than `seconds`.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            signal_group(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise ServerError(f"timed out after {seconds:.0f} s: {output}") from None
        finally:
            signal_group(process.pid, signal.SIGKILL)
    if process.returncode:
        raise ServerError(f"failed with exit code {process.returncode}: {output}")
    return output


def signal_group(leader: int, number: signal.Signals) -> None:
    """Signal every process of a group, if there still is one.

    Where only zombies are left, Linux succeeds and macOS answers EPERM.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


class ServerProcess:
    """One server process with all its children: started, suspended, resumed, stopped and killed together."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._environment = environment
        self._user = user
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def children(self) -> list[psutil.Process]:
        """Return its child processes and their children."""
        if not self.is_running:
            return []
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._running().pid).children(recursive=True))
        return []

    def start(self, is_ready: Callable[[], bool]) -> Self:
        """Start it and wait until it is ready; kill it when it does not become ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                user=self._user,
                cwd=self._cwd,
                extra_groups=[] if self._user else None,
                start_new_session=True,
            )
        try:
            self._wait(is_ready)
        except BaseException:
            self.kill()
            raise
        return self

    def _wait(self, is_ready: Callable[[], bool]) -> None:
        for _ in range(START_SECONDS * 20):
            if is_ready():
                return
            try:
                code = self._running().wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise ServerError(f"{self._command[0]} failed with exit code {code}: {self.log_tail()}")
        raise ServerError(f"{self._command[0]} was not ready after {START_SECONDS} s: {self.log_tail()}")

    def log_tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal the server to stop, wait up to 10 s, then kill whatever is left of its group."""
        if self._process is None:
            return
        if self.is_running:
            self.thaw()
            self._process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        self.kill()

    def kill(self) -> None:
        """Kill every process at once."""
        if self._process is None:
            return
        self._signal_all(signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def freeze(self) -> None:
        """Suspend every process, so that it behaves like a machine that hangs."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume every process."""
        self._signal_all(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerError(f"{self._command[0]} was not started")
        return self._process

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal the server first, so that it starts no more children, then the children.

        The group is not enough: each backend of Postgres makes itself the leader of a group of its own.
        """
        leader = self._running().pid
        children = self.children()
        signal_group(leader, number)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.send_signal(number)
