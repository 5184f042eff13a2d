"""Commands as they come in, and as they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from els_core.domain.commands import Command, CommandAnswer


class Door(StrEnum):
    """How a command came in."""

    BUS = "bus"
    API = "api"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a command, and through which door; `source` is what the bus or the API says of it.

    `org_id` is the only organisation whose batches the sender may see, if there is one.
    """

    door: Door
    source: str
    actor: str
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command about a batch. `fingerprint` tells the same `command_id` with other arguments."""

    batch_id: str
    command_id: str
    command: Command
    sender: Sender
    correlation_id: str
    body: str
    fingerprint: str
    reason: str | None = None
    if_version: int | None = None
    if_epoch: int | None = None
    is_dry_run: bool = False
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class KeptCommand:
    """A command that was answered before, and its answer."""

    fingerprint: str
    answer: CommandAnswer
