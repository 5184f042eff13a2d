"""The peers, and the environment of each: its packages are pinned with all that they need."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dev.programs.process import ServerError, run_to_end
from dev.programs.tools import ROOT, environment, uv

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent
ENVIRONMENTS = FOLDER / "environments"
INSTALLED = ROOT / ".local" / "peers"  # the packages from npm
INSTALL_SECONDS = 300


class NotInstallableError(Exception):
    """A peer cannot be installed here; the message says why, in one line."""


@dataclass(frozen=True)
class Peer:
    """A program of others: its name, its module here, and its packages from PyPI and npm."""

    name: str
    module: str
    pypi: str | None = None
    npm: str | None = None
    program: str | None = None  # a server from npm that it starts, found by this pattern

    def install(self) -> None:
        """Install what it needs, or raise `NotInstallableError`."""
        try:
            if self.npm:
                _install_from_npm(self.npm)
            if self.pypi:
                run_to_end(self._python("-c", "pass"), INSTALL_SECONDS, cwd=ROOT, environment=environment())
        except (ServerError, OSError) as error:
            raise NotInstallableError(f"{self.name} is left out: {last_line(error)}") from error

    @property
    def command(self) -> Sequence[str]:
        """Return its command line."""
        if self.pypi:
            return self._python("-m", f"benchmarks.peers.{self.module}")
        return [_program("node"), str(FOLDER / f"{self.module}.mjs")]

    @property
    def server(self) -> str | None:
        """Return the path of the server that it starts itself."""
        if self.program is None:
            return None
        found = next(iter((INSTALLED / str(self.npm) / "node_modules").glob(self.program)), None)
        return str(found) if found else None

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables of its process."""
        return environment(PYTHONPATH=str(ROOT), PEER_MODULES=str(INSTALLED / (self.npm or "")))

    def _python(self, *arguments: str) -> list[str]:
        requirements = str(ENVIRONMENTS / f"{self.pypi}.txt")
        isolated = ["run", "--quiet", "--isolated", "--no-project", "--python", "3.13"]
        return [uv(), *isolated, "--with-requirements", requirements, "python", *arguments]


PEERS = (
    Peer("BullMQ flows", "bullmq_flows", npm="bullmq"),
    Peer("Celery chord", "celery_chord", pypi="celery"),
    Peer("DBOS", "dbos_messages", pypi="dbos"),
    Peer(
        "Restate", "restate_object", pypi="restate", npm="restate", program="@restatedev/*/bin/restate-server"
    ),
    Peer("Dramatiq barrier", "dramatiq_barrier", pypi="dramatiq"),
)


def _install_from_npm(name: str) -> None:
    """Install a lock file's packages, and run none of their install scripts."""
    folder = INSTALLED / name
    folder.mkdir(parents=True, exist_ok=True)
    lock, installed = ENVIRONMENTS / name / "package-lock.json", folder / "package-lock.json"
    is_there = installed.exists() and (folder / "node_modules").exists()
    if is_there and installed.read_bytes() == lock.read_bytes():
        return
    for file in ("package.json", "package-lock.json"):
        shutil.copy(ENVIRONMENTS / name / file, folder)
    command = [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    run_to_end(command, INSTALL_SECONDS, cwd=folder, environment=environment())


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotInstallableError(f"{name} is not installed")
    return found


def last_line(error: Exception) -> str:
    """Return the last line of a message, which says what went wrong."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
