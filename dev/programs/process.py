"""A server of our own in a process group of its own, so that nothing of it is left behind."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

START_SECONDS = 60


class ServerError(Exception):
    """A server did not start or stop; the message has the end of its log."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged() -> str | None:
    """Return the user to run a server as that refuses root, or None when we are not root."""
    return pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None


def run_to_end(command: Sequence[str], seconds: float, *, cwd: Path, environment: Mapping[str, str]) -> str:
    """Run a program in a group of its own and return what it said; nothing of the group outlives this call.

    Raise `ServerError` with what it said when it fails or takes longer than it may.
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
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            raise ServerError(f"did not end within {seconds:.0f} s: {said}") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise ServerError(f"ended with code {process.returncode}: {said}")
    return said


class ServerProcess:
    """One server: started, frozen, thawed, killed and stopped with all its children."""

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
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def children(self) -> list[psutil.Process]:
        """Return the processes that it has started."""
        if not self.is_running:
            return []
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._running().pid).children(recursive=True))
        return []

    def start(self, is_ready: Callable[[], bool]) -> Self:
        """Start and wait until it is ready; stop it again when it is not."""
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
            raise ServerError(f"{self._command[0]} ended with code {code}: {self.log_tail()}")
        raise ServerError(f"{self._command[0]} was not ready after {START_SECONDS} s: {self.log_tail()}")

    def log_tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask the server to stop, then end whatever is left of its group."""
        if self._process is None:
            return
        if self.is_running:
            self.thaw()
            self._process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        self.kill()

    def kill(self) -> None:
        """End all at once."""
        if self._process is None:
            return
        self._signal_all(signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def freeze(self) -> None:
        """Stop all in their tracks, as a machine that hangs."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all go on."""
        self._signal_all(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerError(f"{self._command[0]} was not started")
        return self._process

    def _signal_all(self, what: signal.Signals) -> None:
        """Signal the server first, so that it starts no more children, then the children.

        The group is not enough: each backend of Postgres makes itself the leader of a group of its own.
        """
        leader = self._running().pid
        children = self.children()
        with suppress(ProcessLookupError):
            os.killpg(leader, what)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.send_signal(what)
