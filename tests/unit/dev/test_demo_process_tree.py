"""Every process of a demo is killed with its tree, and no other process is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from dev.demo.process_tree import ProcessTree
from dev.programs.tools import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Ignores every signal but SIGKILL, and its child runs in a session of its own.
STUBBORN = """
import signal, subprocess, sys
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    signal.signal(each, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def other() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield psutil.Process(process.pid)
        process.kill()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_stubborn_servers_their_children_and_the_folder_are_gone_and_another_process_is_not(
    tmp_path: Path, other: psutil.Process
) -> None:
    tree = ProcessTree("a-mark-of-this-test", tmp_path / "run")
    tree.make_folder()
    (tree.folder / "file").write_text("left behind")
    environment = {**os.environ, MARK: tree.mark}
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        assert {process.pid for process in tree.processes()} == {server.pid, child}
        tree.kill()
        assert not is_alive(server.pid)
        assert not is_alive(child)
    assert is_alive(other.pid)
    assert not tree.folder.exists()
