"""One run of the demo and all that it starts: whatever carries its mark ends with it."""

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

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is made new, with a name that nobody can guess
ENOUGH = 4 << 30  # bytes; every function that starts cold unpacks 100 MB
GRACE_SECONDS = 2
ROUNDS = 5  # a process that is being started may be missed by one look
ENDING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Run:
    """A mark that every process inherits, and the folder that holds every temporary file."""

    mark: str
    folder: Path

    @classmethod
    def start(cls) -> Run:
        """Choose a mark and put it, and the folder, where all processes and libraries find them."""
        mark = secrets.token_hex(4)
        folder = roomy(MEMORY, Path(tempfile.gettempdir())) / f"els-demo-{mark}"
        os.environ[MARK] = mark
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        return cls(mark, folder)

    def make_folder(self) -> None:
        """Make the folder; servers that run as another user may pass through it."""
        self.folder.mkdir(mode=0o711)

    def end(self) -> None:
        """End every process of the run, at once, and remove the folder.

        Nothing of a demo is worth waiting for. Only Postgres is asked, to give its shared memory back.
        """
        for _ in range(ROUNDS):
            left = self.processes()
            if not left:
                break
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGQUIT if _is_postgres(process) else signal.SIGKILL)
            psutil.wait_procs(left, timeout=GRACE_SECONDS)
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        """Return the living processes that carry the mark or work in the folder."""
        return [process for process in psutil.process_iter() if self._is_marked(process)]

    def _is_marked(self, process: psutil.Process) -> bool:
        if process.pid == os.getpid():
            return False
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            # Valkey writes its title over its environment, but works in the folder of the run.
            is_inside = Path(process.cwd()).is_relative_to(self.folder)
            return is_inside or process.environ().get(MARK) == self.mark
        except (psutil.Error, OSError):
            return False


def roomy(memory: Path, disk: Path) -> Path:
    """Return the folder in memory where there is plenty of it and programs may run from it, else the other.

    A disk makes functions start slowly, and is slow at removing the thousands of files of their layers.
    """
    try:
        known = os.statvfs(memory)
    except OSError:
        return disk
    free = min(known.f_bavail * known.f_frsize, psutil.virtual_memory().available)
    is_usable = os.access(memory, os.W_OK) and not known.f_flag & os.ST_NOEXEC
    return memory if is_usable and free >= ENOUGH else disk


def _is_postgres(process: psutil.Process) -> bool:
    return process.name() == "postgres"


def interrupt_once() -> None:
    """Let the first SIGINT or SIGTERM raise KeyboardInterrupt and the others do nothing."""
    for each in ENDING:
        signal.signal(each, _interrupt)


def ignore_interrupts() -> None:
    """Let nothing disturb the cleaning up."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    ignore_interrupts()
    raise KeyboardInterrupt(number)
