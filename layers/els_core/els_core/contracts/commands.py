"""Commands on the wire: from the bus as `BatchCommand`, and as the body of a request."""

import hashlib
import json
from typing import Annotated, Literal, Self, TypedDict, assert_never

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from els_core.application.commands import CommandRequest, Door, Sender
from els_core.application.messages import PoisonMessage
from els_core.contracts.fields import (
    MAX_SLOTS,
    MAX_TIMEOUT_SECONDS,
    Id,
    Identity,
    Metadata,
    Moment,
    ShortText,
    WireModel,
)
from els_core.contracts.inbound import Detail
from els_core.contracts.rejections import not_utf8, rejection
from els_core.domain.commands import (
    AddSlots,
    Announce,
    Cancel,
    ChangeDeadline,
    Close,
    Command,
    CommandName,
    ReleaseSlot,
    Reopen,
    WithdrawSlots,
)

type SlotIds = Annotated[list[Id], Field(min_length=1, max_length=MAX_SLOTS)]
type Count = Annotated[int, Field(ge=1, le=MAX_SLOTS)]
type Timeout = Annotated[int, Field(ge=1, le=MAX_TIMEOUT_SECONDS)]
type Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
type Epoch = Annotated[int, Field(ge=1, le=2**31 - 1)]

# The arguments of each command: those that it needs, and those that it may have.
_ARGUMENTS: dict[CommandName, tuple[tuple[str, ...], tuple[str, ...]]] = {
    CommandName.CANCEL: ((), ()),
    CommandName.CHANGE_DEADLINE: (("deadline",), ()),
    CommandName.CLOSE: ((), ()),
    CommandName.WITHDRAW_SLOTS: ((), ("essay_ids", "count")),
    CommandName.ADD_SLOTS: (("essay_ids",), ()),
    CommandName.RELEASE_SLOT: (("identity",), ()),
    CommandName.REOPEN: (("if_epoch", "timeout_seconds"), ("add_slots",)),
    CommandName.ANNOUNCE: ((), ("epoch",)),
}
_OF_EVERY_COMMAND = {"batch_id", "command", "actor", "reason", "if_version", "if_epoch", "dry_run"}


class CommandArguments(WireModel):
    """A command with its arguments; which ones it has depends on the command."""

    command: CommandName
    reason: ShortText | None = None
    if_version: Number | None = None
    if_epoch: Epoch | None = None
    deadline: Moment | None = None
    essay_ids: SlotIds | None = None
    count: Count | None = None
    identity: Identity | None = None
    timeout_seconds: Timeout | None = None
    add_slots: SlotIds | None = None
    epoch: Epoch | None = None

    @model_validator(mode="after")
    def _has_the_arguments_of_its_command(self) -> Self:
        needed, optional = _ARGUMENTS[self.command]
        given = {name for name, value in self if value is not None} - _OF_EVERY_COMMAND
        for name in needed:
            if getattr(self, name) is None:
                raise _about("missing_argument", name)
        for name in sorted(given - {*needed, *optional}):
            raise _about("unexpected_argument", name)
        if self.command is CommandName.WITHDRAW_SLOTS and (self.essay_ids is None) == (self.count is None):
            raise _about("missing_argument" if self.count is None else "unexpected_argument", "count")
        for name in ("essay_ids", "add_slots"):
            ids = getattr(self, name) or []
            if len(set(ids)) != len(ids):
                raise PydanticCustomError(name, "must be distinct")
        return self

    def to_command(self) -> Command:
        """Return the command; the arguments that it needs are there."""
        essay_ids, add_slots = tuple(self.essay_ids or ()), tuple(self.add_slots or ())
        command: Command
        match self.command:
            case CommandName.CANCEL:
                command = Cancel()
            case CommandName.CHANGE_DEADLINE:
                command = ChangeDeadline(_given(self.deadline))
            case CommandName.CLOSE:
                command = Close()
            case CommandName.WITHDRAW_SLOTS:
                command = WithdrawSlots(essay_ids, self.count)
            case CommandName.ADD_SLOTS:
                command = AddSlots(essay_ids)
            case CommandName.RELEASE_SLOT:
                command = ReleaseSlot(_given(self.identity))
            case CommandName.REOPEN:
                command = Reopen(_given(self.timeout_seconds), add_slots)
            case CommandName.ANNOUNCE:
                command = Announce(self.epoch)
            case _:
                assert_never(self.command)
        return command

    def body(self) -> str:
        """Return the command with its arguments as JSON, without who commands and why."""
        data = self.model_dump(
            mode="json", exclude_none=True, exclude={"batch_id", "actor", "reason", "dry_run"}
        )
        return json.dumps(data, sort_keys=True)


class BatchCommand(CommandArguments):
    """A command from the bus; `actor` is what the sender says."""

    batch_id: Id
    actor: ShortText


class CommandEvent(WireModel):
    """An EventBridge event as its rule puts it into the queue of `steer_batch`."""

    detail_type: Literal["BatchCommand"] = Field(alias="detail-type")
    source: ShortText = ""
    detail: Detail[BatchCommand]


def parse_command(body: str) -> CommandRequest | PoisonMessage:
    """Parse a command from the bus; its id is that of its event."""
    try:
        event = CommandEvent.model_validate_json(body)
    except ValidationError as error:
        return rejection(error, Metadata, BatchCommand, CommandEvent, Detail)
    except UnicodeError:
        return not_utf8()
    metadata, data = event.detail.metadata, event.detail.data
    return CommandRequest(
        **arguments_of(data),
        batch_id=data.batch_id,
        command_id=str(metadata.event_id),
        sender=Sender(Door.BUS, event.source, data.actor),
        correlation_id=str(metadata.correlation_id),
        traceparent=metadata.traceparent,
    )


class Arguments(TypedDict):
    """What a request takes from the arguments of a command."""

    command: Command
    body: str
    fingerprint: str
    reason: str | None
    if_version: int | None
    if_epoch: int | None


def arguments_of(arguments: CommandArguments) -> Arguments:
    """Return the command with all that the request keeps of its arguments."""
    body = arguments.body()
    return Arguments(
        command=arguments.to_command(),
        body=body,
        fingerprint=hashlib.sha256(body.encode()).hexdigest(),
        reason=arguments.reason,
        if_version=arguments.if_version,
        if_epoch=arguments.if_epoch,
    )


def _given[Value](value: Value | None) -> Value:
    if value is None:
        raise LookupError("an argument that the command needs is missing")
    return value


def _about(kind: Literal["missing_argument", "unexpected_argument"], argument: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{argument} is wrong for this command", {"argument": argument})
