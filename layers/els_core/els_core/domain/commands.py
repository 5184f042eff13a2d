"""What people may command for a batch, and why a command is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

    from els_core.domain.batches import ReleasedSlot, Status

# The latest that a deadline may be from now on: the longest retention of a queue.
MAX_TIMEOUT = timedelta(days=14)


class CommandName(StrEnum):
    """The names of the commands on the wire."""

    CANCEL = "cancel"
    CHANGE_DEADLINE = "change_deadline"
    CLOSE = "close"
    WITHDRAW_SLOTS = "withdraw_slots"
    ADD_SLOTS = "add_slots"
    RELEASE_SLOT = "release_slot"
    REOPEN = "reopen"
    ANNOUNCE = "announce"


class Refusal(StrEnum):
    """Why a command is refused."""

    NOT_REGISTERED = "NOT_REGISTERED"
    NOT_TERMINAL = "NOT_TERMINAL"
    TOO_LATE = "TOO_LATE"
    VERSION_CHANGED = "VERSION_CHANGED"
    WRONG_EPOCH = "WRONG_EPOCH"
    DEADLINE_PAST = "DEADLINE_PAST"
    DEADLINE_TOO_FAR = "DEADLINE_TOO_FAR"
    EMPTY = "EMPTY"
    SLOT_IN_USE = "SLOT_IN_USE"
    SLOT_UNKNOWN = "SLOT_UNKNOWN"
    SLOT_EXISTS = "SLOT_EXISTS"
    TOO_MANY_SLOTS = "TOO_MANY_SLOTS"
    NOT_BOUND = "NOT_BOUND"
    NOTHING_TO_WAIT_FOR = "NOTHING_TO_WAIT_FOR"
    NOTHING_TO_ANNOUNCE = "NOTHING_TO_ANNOUNCE"


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the batch now, registered or not."""

    name: ClassVar = CommandName.CANCEL


@dataclass(frozen=True, slots=True)
class ChangeDeadline:
    """Move the deadline of an open batch, later or earlier."""

    name: ClassVar = CommandName.CHANGE_DEADLINE
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Close:
    """End an open batch with what it has: all free slots are withdrawn."""

    name: ClassVar = CommandName.CLOSE


@dataclass(frozen=True, slots=True)
class WithdrawSlots:
    """Expect free slots no longer: these, or as many of the last ones in byte order."""

    name: ClassVar = CommandName.WITHDRAW_SLOTS
    essay_ids: tuple[str, ...] = ()
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AddSlots:
    """Expect more slots: new ones, or withdrawn ones again."""

    name: ClassVar = CommandName.ADD_SLOTS
    essay_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseSlot:
    """Free the slot of this content or failure, which is superseded for good."""

    name: ClassVar = CommandName.RELEASE_SLOT
    identity: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """Begin another epoch of an ended batch; it lasts `timeout_seconds` from now."""

    name: ClassVar = CommandName.REOPEN
    timeout_seconds: int
    add_slots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Announce:
    """Announce the final result of an ended epoch again: the last one, or this."""

    name: ClassVar = CommandName.ANNOUNCE
    epoch: int | None = None


type Command = Cancel | ChangeDeadline | Close | WithdrawSlots | AddSlots | ReleaseSlot | Reopen | Announce


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What became of a command, for ever; a refusal is an answer too.

    `status`, `epoch` and `version` are those of the batch afterwards, `taken_in` counts excess contents that
    got a slot.
    """

    command_id: str
    command: CommandName
    refusal: Refusal | None
    status: Status
    epoch: int
    version: int
    withdrawn: tuple[str, ...] = ()
    released: tuple[ReleasedSlot, ...] = ()
    taken_in: int = 0
