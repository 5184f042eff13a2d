"""The local AWS: bus, rules, queues, functions with layers, CloudFormation."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerProcess, free_port
from dev.programs.tools import MINISTACK, environment, tool

if TYPE_CHECKING:
    from collections.abc import Mapping


class LocalAws(Lifecycle):
    """A ministack in a process group of its own, which is killed as a whole: its workers would outlive it.

    Its functions inherit `variables`.

    It is not asked to stop: it holds nothing that is needed, and stopping takes it several seconds.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = variables or {}
        self._folder = Path(mkdtemp(prefix="els-aws-"))
        self.port = free_port()
        self._server: ServerProcess | None = None

    @property
    def endpoint(self) -> str:
        """Return the endpoint URL of all its services."""
        return f"http://127.0.0.1:{self.port}"

    def _open(self) -> None:
        variables = environment(
            **self._variables,
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            IOT_MTLS_ENABLED="0",
            TMPDIR=str(self._folder),
            STATE_DIR=str(self._folder),
        )
        command = tool("ministack", *MINISTACK)
        self._server = ServerProcess(command, self._folder / "log", environment=variables)
        self._server.start(self._is_ready)

    def close(self) -> None:
        """Kill it and remove its folder."""
        if self._server is not None:
            self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def freeze(self) -> None:
        """Suspend every process; connections stay open."""
        if self._server is not None:
            self._server.freeze()

    def thaw(self) -> None:
        """Resume."""
        if self._server is not None:
            self._server.thaw()

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        return self._server.log_tail() if self._server else ""

    def _is_ready(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
