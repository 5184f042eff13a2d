"""Every process that a demo starts carries its mark, so that all of them can be killed together."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from dev.programs.tools import MARK

if TYPE_CHECKING:
    from types import FrameType

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is created new, with a name that nobody can guess
MIN_FREE_BYTES = 4 << 30  # every cold start unpacks 100 MB
NO_EXECUTION = getattr(os, "ST_NOEXEC", 0)  # the flag is known on Linux only
GRACE_SECONDS = 2
ROUNDS = 5  # a process that is just being started may be missed once
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class ProcessTree:
    """A mark that every process inherits, and the folder of all temporary files."""

    mark: str
    folder: Path

    @classmethod
    def start(cls) -> ProcessTree:
        """Choose a mark and a folder, and set the variables by which child processes inherit both."""
        mark = secrets.token_hex(4)
        # Resolved, because processes tell their working directory without symbolic links: on macOS, the
        # temporary folder is behind one.
        folder = temporary_folder(MEMORY, Path(tempfile.gettempdir())).resolve() / f"els-demo-{mark}"
        os.environ[MARK] = mark
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        return cls(mark, folder)

    def make_folder(self) -> None:
        """Create the folder; servers that run as another user may pass through it."""
        self.folder.mkdir(mode=0o711)

    def kill(self) -> None:
        """Kill every process of the tree and remove the folder.

        Only Postgres gets SIGQUIT first, to release its shared memory; nothing else is worth waiting for.
        """
        for _ in range(ROUNDS):
            left = self.processes()
            if not left:
                break
            for process in left:
                with suppress(psutil.Error):
                    process.send_signal(signal.SIGQUIT if _is_postgres(process) else signal.SIGKILL)
            psutil.wait_procs(left, timeout=GRACE_SECONDS)
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        """Return the running processes that carry the mark or work in the folder."""
        return [process for process in psutil.process_iter() if self._is_marked(process)]

    def _is_marked(self, process: psutil.Process) -> bool:
        if process.pid == os.getpid():
            return False
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            # Valkey overwrites its environment with its process title, but works in the folder.
            is_inside = Path(process.cwd()).is_relative_to(self.folder)
            return is_inside or process.environ().get(MARK) == self.mark
        except (psutil.Error, OSError):
            return False


def temporary_folder(memory: Path, disk: Path) -> Path:
    """Return the folder in memory where it exists, is large enough and allows programs, else the one on disk.

    On a disk, cold starts are slow, and so is removing the thousands of files of their layers.
    """
    try:
        known = os.statvfs(memory)
    except OSError:
        return disk
    free = min(known.f_bavail * known.f_frsize, psutil.virtual_memory().available)
    is_usable = os.access(memory, os.W_OK) and not known.f_flag & NO_EXECUTION
    return memory if is_usable and free >= MIN_FREE_BYTES else disk


def _is_postgres(process: psutil.Process) -> bool:
    return process.name() == "postgres"


def interrupt_once() -> None:
    """Let the first SIGINT or SIGTERM raise KeyboardInterrupt and ignore the others."""
    for each in INTERRUPTIONS:
        signal.signal(each, _interrupt)


def ignore_interrupts() -> None:
    """Ignore SIGINT and SIGTERM from now on."""
    for each in INTERRUPTIONS:
        signal.signal(each, signal.SIG_IGN)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    ignore_interrupts()
    raise KeyboardInterrupt(number)
