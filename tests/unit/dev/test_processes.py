"""No child process of the workbench outlives it, and none runs for longer than it may."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from threading import Event

import psutil
import pytest

from dev.programs.process import ServerError, run_to_end, signal_group
from dev.servers.lambda_runtime import why_no_emulator

HERE = Path(__file__).parent
HANGS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("child", child.pid, flush=True)
child.wait()
"""


def run(code: str, seconds: float) -> str:
    return run_to_end([sys.executable, "-c", code], seconds, cwd=HERE, environment=os.environ)


def test_a_program_that_hangs_is_killed_with_its_children_and_its_output_is_shown() -> None:
    with pytest.raises(ServerError, match=r"timed out after 3 s: child \d+") as raised:
        run(HANGS, 3)
    child = int(str(raised.value).split()[-1])
    while is_alive(child):  # killed, but perhaps not dead yet; the test would hang here on a survivor
        Event().wait(0.05)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(ServerError, match=r"(?s)failed with exit code 1: .*ZeroDivisionError"):
        run("1 / 0", 30)


@pytest.mark.parametrize("failure", [ProcessLookupError, PermissionError])
def test_a_group_without_living_processes_is_no_failure_on_linux_or_macos(
    failure: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    signals: list[int] = []

    def killpg(leader: int, number: int) -> None:
        signals.append(number)
        raise failure(leader)

    monkeypatch.setattr(os, "killpg", killpg)
    signal_group(1, signal.SIGKILL)
    assert signals == [signal.SIGKILL]


def test_the_runtime_emulator_says_where_it_cannot_run() -> None:
    assert why_no_emulator("Linux") is None
    assert "runs on Linux only, and this is Darwin" in str(why_no_emulator("Darwin"))
