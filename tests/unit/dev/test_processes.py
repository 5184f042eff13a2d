"""What the workbench starts ends with it, and in bounded time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Event

import psutil
import pytest

from dev.programs.process import ServerError, run_to_end

HERE = Path(__file__).parent
HANGS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("child", child.pid, flush=True)
child.wait()
"""


def run(code: str, seconds: float) -> str:
    return run_to_end([sys.executable, "-c", code], seconds, cwd=HERE, environment=os.environ)


def test_a_program_that_hangs_is_ended_with_its_children_and_what_it_said_is_shown() -> None:
    with pytest.raises(ServerError, match=r"did not end within 3 s: child \d+") as raised:
        run(HANGS, 3)
    child = int(str(raised.value).split()[-1])
    while is_alive(child):  # it was killed, but need not be dead yet; a child that lives on hangs here
        Event().wait(0.05)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(ServerError, match=r"(?s)ended with code 1: .*ZeroDivisionError"):
        run("1 / 0", 30)
