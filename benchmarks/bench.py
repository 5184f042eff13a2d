"""What every part of the benchmark is given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.candidates.handler import Handler
    from benchmarks.servers import Servers


class Effort(StrEnum):
    """How much is measured: all, a minute or two of it, or so little that only counts mean anything."""

    FULL = "full"
    QUICK = "quick"
    SMOKE = "smoke"


@dataclass(frozen=True)
class Bench:
    """The running servers, the handler that is measured, the effort, and where progress is told."""

    servers: Servers
    handler: Handler
    effort: Effort
    say: Callable[[str], None]
