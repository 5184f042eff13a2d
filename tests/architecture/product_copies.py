"""Copies of the core package, each with one change, and the places that mypy names in them."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.architecture.project import CORE

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR = re.compile(r"^(?P<package>\w+)/(?P<file>[\w/]+\.py):(?P<line>\d+): error: ")


@dataclass(frozen=True)
class Addition:
    """An addition to one file: what stands at the end of the line that `line` matches, and new classes."""

    file: str
    line: str
    added: str
    classes: str = ""

    def apply(self, package: Path) -> None:
        """Make the change; the pattern must match exactly one line."""
        path = package / self.file
        text, count = re.subn(
            rf"^(.*{self.line}.*)$", rf"\1{self.added}", path.read_text("utf-8"), flags=re.MULTILINE
        )
        assert count == 1, f"{self.line!r} matches {count} lines of {self.file}"
        path.write_text(text + self.classes, "utf-8")


def named_places(
    changes: Mapping[str, tuple[Addition, ...]], folder: Path, cache: Path
) -> dict[str, set[str]]:
    """Copy the core once per change and return the places that mypy names, as "file function".

    Every copy is a package with a name of its own, so one run of mypy checks them all and reads the packages
    that they import once.
    """
    packages = {f"{CORE.name}_{number}": name for number, name in enumerate(changes)}
    for package, name in packages.items():
        _copy_core(folder / package)
        for change in changes[name]:
            change.apply(folder / package)
    places: dict[str, set[str]] = defaultdict(set)
    for line in _mypy(folder, cache, *packages):
        found = ERROR.match(line)
        assert found, line
        path = folder / found["package"] / found["file"]
        places[packages[found["package"]]].add(f"{found['file']} {_function_at(path, int(found['line']))}")
    return places


def _copy_core(package: Path) -> None:
    shutil.copytree(CORE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in package.rglob("*.py"):
        path.write_text(re.sub(rf"\b{CORE.name}\b", package.name, path.read_text("utf-8")), "utf-8")


def _mypy(folder: Path, cache: Path, *packages: str) -> list[str]:
    """Return the errors. The option replaces an exception of the configuration for one module of the core."""
    options = ("--config-file", str(Path("pyproject.toml").absolute()), "--cache-dir", str(cache))
    output = ("--no-error-summary", "--hide-error-context", "--no-pretty", "--allow-subclassing-any")
    command = (sys.executable, "-m", "mypy", *options, *output, *packages)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr or done.stdout
    return [line for line in done.stdout.splitlines() if ": note: " not in line]


def _function_at(path: Path, line: int) -> str:
    """Return the name of the innermost function or class around a line, or "module"."""
    inner = "module"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.lineno <= line <= (
            node.end_lineno or line
        ):
            inner = node.name
    return inner
