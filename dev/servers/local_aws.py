"""The local AWS: bus, rules, queues, functions with layers, CloudFormation."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from dev.programs.process import ServerProcess, free_port
from dev.programs.tools import MINISTACK, environment, tool


class LocalAws:
    """ministack in a process group of its own; its workers outlive it, so the group is ended.

    It is killed, not asked: it holds nothing that is needed, and asked it takes its time.
    """

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="els-aws-"))
        self.port = free_port()
        self._server: ServerProcess | None = None

    @property
    def endpoint(self) -> str:
        """Return the endpoint URL of all its services."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        known = environment(
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            IOT_MTLS_ENABLED="0",
            TMPDIR=str(self._folder),
            STATE_DIR=str(self._folder),
        )
        command = tool("ministack", *MINISTACK)
        self._server = ServerProcess(command, self._folder / "log", environment=known)
        try:
            self._server.start(self._is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def freeze(self) -> None:
        """Hang, with connections open."""
        if self._server is not None:
            self._server.freeze()

    def thaw(self) -> None:
        """Go on."""
        if self._server is not None:
            self._server.thaw()

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        return self._server.log_tail() if self._server else ""

    def _is_ready(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
