"""The mutants of `mutants.txt`: each removes one guard of the service by text patches.

A block has these lines, the last two only where they are needed:

- `guard:` the guard in a plain sentence
- `module:` the module that the following patches change
- `-` the old text, which occurs exactly once in the module, inside a function
- `+` the new text; further `+` lines are indented like the line of the old text
- `seeds:` the number of seeds within which the simulation must notice, instead of 300
- `held by:` the guard because of which nothing breaks; such a mutant must not be noticed and is not counted
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.patches import Patch

TABLE = Path(__file__).with_name("mutants.txt")


@dataclass(slots=True)
class Mutant:
    """One block of the table."""

    guard: str = ""
    patches: list[Patch] = field(default_factory=list)
    seeds: int = 300
    held_by: str = ""


def read_mutants(text: str) -> list[Mutant]:
    """Parse the table; raise `ValueError` for a line that is not part of a block."""
    return [_mutant(block.splitlines()) for block in text.split("\n\n")]


def _mutant(lines: list[str]) -> Mutant:
    mutant = Mutant()
    module = ""
    for line in lines:
        name, _, value = line.partition(" ")
        match name:
            case "guard:":
                mutant.guard = value
            case "module:":
                module = value
            case "-":
                mutant.patches.append(Patch(module, value, ""))
            case "+":
                patch = mutant.patches.pop()
                new = f"{patch.new}\n{value}" if patch.new else value
                mutant.patches.append(patch._replace(new=new))
            case "seeds:":
                mutant.seeds = int(value)
            case "held":
                mutant.held_by = value.removeprefix("by: ")
            case _:
                raise ValueError(f"{line!r} in {TABLE.name}: a line begins with guard:, module:, -, +, …")
    return mutant


MUTANTS = read_mutants(TABLE.read_text("utf-8"))
