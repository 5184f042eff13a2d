"""The operators' page of a demo that is left running; it ends with the other processes of the demo."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from dev.programs.process import ServerProcess
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\S+")


def serve_page(folder: Path, root: Path = ROOT) -> str:
    """Serve the page of the demo that is kept under `root`; write its log to a folder, return its address."""
    log = folder / "page.log"
    log.touch(mode=0o600)  # the address lets in whoever knows it
    # Another deployment that a shell names must not take the place of the demo.
    environment = {name: value for name, value in os.environ.items() if name != "ELS_API"}
    server = ServerProcess([sys.executable, "-m", "els", "page"], log, environment=environment, cwd=root)
    server.start(lambda: _address(log) is not None)
    return _address(log) or ""


def _address(log: Path) -> str | None:
    found = _ADDRESS.search(log.read_text("utf-8"))
    return found.group() if found else None
