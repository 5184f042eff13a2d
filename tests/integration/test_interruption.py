"""A program that is terminated stops the servers that it has started."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = 3  # Postgres, Valkey and the bus


@pytest.mark.parametrize(("program", "option"), [("benchmarks", "--effort=quick"), ("dev.limits", "--quick")])
def test_a_terminated_program_leaves_no_server(program: str, option: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", program, option], stdout=log, stderr=log)
    servers = wait_for_servers(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM, (tmp_path / "log").read_text("utf-8")
    assert [server for server in servers if server.is_running()] == []


def wait_for_servers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Wait until the program has started its servers, and return them with their children."""
    program = psutil.Process(process.pid)
    while len(program.children()) < SERVERS:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    return program.children(recursive=True)
