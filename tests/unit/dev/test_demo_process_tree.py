"""What a run of the demo starts ends with the run, at once, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from dev.demo.process_tree import Run
from dev.programs.tools import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Deaf to every polite signal, and its child lives in a session of its own.
DEAF = """
import signal, subprocess, sys
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    signal.signal(each, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield psutil.Process(process.pid)
        process.kill()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_run_ends_deaf_servers_their_children_and_its_folder_and_no_stranger(
    tmp_path: Path, stranger: psutil.Process
) -> None:
    run = Run("a-mark-of-this-test", tmp_path / "run")
    run.make_folder()
    (run.folder / "file").write_text("left behind")
    environment = {**os.environ, MARK: run.mark}
    command = [sys.executable, "-c", DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        assert {process.pid for process in run.processes()} == {server.pid, child}
        run.end()
        assert not is_alive(server.pid)
        assert not is_alive(child)
    assert is_alive(stranger.pid)
    assert not run.folder.exists()
