"""What the SQL files say of their statements, read without the loader of the service.

A header is a comment: `-- name: x`, sentences, parameters (`-- :ids  JSON array of {a, b}`), `-- Returns`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.architecture.project import CORE

SQL = CORE / "adapters/postgres/sql"


@dataclass(frozen=True)
class Described:
    """One statement: the three parts of its header, and its SQL."""

    promise: str
    parameters: dict[str, str]
    returns: str
    body: str

    def columns(self) -> list[str] | None:
        """Return the columns that the header declares, described or in lists; None when no rows return."""
        first, *lines = self.returns.splitlines()
        if first.startswith("Returns nothing"):
            return None
        described = (re.match(r"  (\w+)  +\S", line) for line in lines)
        return [
            name
            for line, one in zip(lines, described, strict=True)
            for name in ([one[1]] if one else line.strip().split(", "))
        ]

    def fields(self) -> dict[str, list[str]]:
        """Return the fields of each parameter that is an array of objects."""
        shapes = {
            name: re.match(r"JSON array of \{(.*?)\}", shape) for name, shape in self.parameters.items()
        }
        return {name: shape[1].split(", ") for name, shape in shapes.items() if shape}


def described() -> dict[str, Described]:
    """Return every statement of every file; a name that is used twice is an error."""
    found: dict[str, Described] = {}
    for path in sorted(SQL.iterdir()):
        introduction, *parts = re.split(r"^-- name: (\w+)\n", path.read_text("utf-8"), flags=re.MULTILINE)
        assert re.fullmatch(r"(--.*\n)+\n", introduction), f"{path} does not begin with a comment"
        for name, part in zip(parts[::2], parts[1::2], strict=True):
            assert name not in found, f"{name} stands twice"
            found[name] = _described(part)
    return found


def _described(part: str) -> Described:
    lines = part.splitlines()
    size = next(at for at, line in enumerate(lines) if not line.startswith("--"))
    header = "\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:size])
    body = "\n".join(lines[size:])
    assert "--" not in body, f"a comment inside the SQL: {part}"
    [promise, *parameters, returns] = header.split("\n\n")
    shapes = re.findall(r"^:(\w+) +(.*(?:\n    .*)*)", "\n".join(parameters), re.MULTILINE)
    return Described(
        promise, {name: re.sub(r"\n +", " ", shape) for name, shape in shapes}, returns.rstrip("\n"), body
    )
