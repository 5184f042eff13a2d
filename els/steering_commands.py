"""The commands of `els` that act on batches: each tells its own arguments, all share the options."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from els.exits import ExitCode, StopError
from els.options import (
    BatchId,
    CommandId,
    DryRun,
    IfVersion,
    Json,
    Maximum,
    Reason,
    Run,
    Selected,
    Where,
    Yes,
    client_of,
)
from els.steering import Manner, Order, Selection, command_each, command_one

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer()
Slots = Annotated[list[str], typer.Argument(metavar="SLOT...", help="the ids of slots")]


def _one(
    context: typer.Context,
    batch_id: BatchId,
    reason: Reason = None,
    if_version: IfVersion = None,
    command_id: CommandId = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    *,
    order: Order,
) -> int:
    manner = Manner(dry_run, yes, as_json, command_id)
    return command_one(client_of(context), batch_id, order.under(reason, if_version), manner)


def _some(
    context: typer.Context,
    batch_id: Selected = None,
    where: Where = None,
    maximum: Maximum = 50,
    run: Run = "",
    reason: Reason = None,
    if_version: IfVersion = None,
    command_id: CommandId = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    *,
    order: Order,
) -> int:
    if (batch_id is None) == (where is None):
        raise StopError(ExitCode.USAGE, "name one batch, or select some with --where: one of the two")
    if where is None:
        return _one(
            context, batch_id or "", reason, if_version, command_id, dry_run, yes, as_json, order=order
        )
    if command_id or if_version is not None or order.is_relative:
        message = "--command-id, --if-version and a time from now speak of one batch: not with --where"
        raise StopError(ExitCode.USAGE, message)
    manner = Manner(dry_run, yes, as_json)
    order = order.under(reason, None)
    return command_each(client_of(context), Selection(where, maximum, run), order, manner)


def _steers(
    name: str, shared: Callable[..., int] = _some
) -> Callable[[Callable[..., Order]], Callable[..., int]]:
    """Make a command of a function that returns the order for its own arguments."""

    def decorate(own: Callable[..., Order]) -> Callable[..., int]:
        options = {**inspect.signature(shared, eval_str=True).parameters}
        options.pop("order")
        arguments = inspect.signature(own, eval_str=True).parameters

        def run(**given: Any) -> int:
            order = own(**{each: given.pop(each) for each in arguments})
            return shared(**given, order=order)

        keywords = [
            each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for each in [
                options.pop("context"),
                options.pop("batch_id"),
                *arguments.values(),
                *options.values(),
            ]
        ]
        run.__dict__["__signature__"] = inspect.Signature(keywords)
        run.__annotations__ = {each.name: each.annotation for each in keywords}
        run.__doc__ = own.__doc__
        return app.command(name)(run)

    return decorate


@_steers("cancel")
def cancel() -> Order:
    """End a batch now: what comes later is excess."""
    return Order("cancel")


@_steers("close")
def close() -> Order:
    """End a batch with what it has: its free slots are withdrawn."""
    return Order("close")


@_steers("deadline")
def deadline(
    to: Annotated[str, typer.Option("--to", help="+2h from now, or a time such as 2026-01-31T12:00Z")],
) -> Order:
    """Move the deadline of an open batch, later or earlier."""
    from els.moments import read_moment
    from els_core.adapters.clock import SystemClock

    moment = read_moment(to, SystemClock().now())
    return Order("change_deadline", {"deadline": moment.isoformat()}, is_relative=to.startswith("+"))


@_steers("add", _one)
def add(slots: Slots) -> Order:
    """Expect more slots: new ones, or withdrawn ones again."""
    return Order("add_slots", {"essay_ids": slots})


@_steers("withdraw", _one)
def withdraw(
    slots: Annotated[list[str] | None, typer.Argument(metavar="SLOT...", help="free slots")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="instead: so many of the last free ones")] = None,
) -> Order:
    """Expect free slots no longer; the batch may be full without them."""
    if bool(slots) == (count is not None):
        raise StopError(ExitCode.USAGE, "name the slots, or say how many with --count: one of the two")
    return Order("withdraw_slots", {"essay_ids": slots} if slots else {"count": count})


@_steers("release", _one)
def release(
    identity: Annotated[
        str, typer.Argument(metavar="IDENTITY", help="content:ID, upload:ID or event:ID, as show prints it")
    ],
) -> Order:
    """Free the slot of a content or a failure, which is superseded for good."""
    return Order("release_slot", {"identity": identity})


@_steers("reopen")
def reopen(
    lasting: Annotated[str, typer.Option("--for", help="how long from now, such as 90m, 2h or 1d")],
    slots: Annotated[list[str] | None, typer.Option("--add", help="another slot; may be repeated")] = None,
) -> Order:
    """Begin another epoch of an ended batch; kept excess contents are taken in."""
    from els.moments import read_span

    arguments = {"timeout_seconds": int(read_span(lasting).total_seconds())}
    return Order("reopen", arguments | ({"add_slots": slots} if slots else {}), needs_epoch=True)


@_steers("announce")
def announce(
    epoch: Annotated[
        int | None, typer.Option(min=1, help="of which epoch; without it the last ended")
    ] = None,
) -> Order:
    """Announce a final result again: the same id, the same bytes."""
    return Order("announce", {} if epoch is None else {"epoch": epoch})
