"""Commands on one batch, or on each batch of a selection."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from els.exits import ExitCode, StopError
from els.output import emit, note, say
from els.selection import read_where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els.client import Answer, ApiClient

SAMPLE = 5
# The ids of a bulk command are derived in this namespace; it never changes.
_BULK = UUID("4c1f2b0a-6f5e-5d2c-9a57-0d1c6b6d8e11")


@dataclass(frozen=True, slots=True)
class Order:
    """A command with its arguments, as the API takes it; `needs_epoch` where it must name the epoch.

    `is_relative`: the arguments depend on when the order was made, so the same line again is another one.
    """

    command: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    if_version: int | None = None
    needs_epoch: bool = False
    is_relative: bool = False

    def under(self, reason: str | None, if_version: int | None) -> Order:
        """Return it with the reason, and the version that the batch must be at."""
        return replace(self, reason=reason, if_version=if_version)

    def body(self, epoch: int | None, *, dry_run: bool) -> dict[str, Any]:
        """Return the body of the request; what is not given is not sent."""
        optional = {"reason": self.reason, "if_version": self.if_version, "if_epoch": epoch}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"command": self.command, **self.arguments, **given} | ({"dry_run": True} if dry_run else {})


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command is given: only judged, without a question, printed for programs, under this id."""

    dry_run: bool = False
    yes: bool = False
    as_json: bool = False
    command_id: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The batches of a bulk, how many at most, and the name under which it is done once."""

    where: str
    maximum: int
    run: str


def command_one(client: ApiClient, batch_id: str, order: Order, manner: Manner) -> ExitCode:
    """Say what is commanded and where, ask, command, and print the answer."""
    batch = client.get(f"/batches/{batch_id}").or_stop().body
    command_id = manner.command_id or str(uuid4())
    note(f"{order.command} {batch_id} at {client.target}")
    note(f"it is {batch['status']}: {batch['sentence']}")
    ask(manner, f"{order.command} {batch_id}")
    body = order.body(batch["epoch"] if order.needs_epoch else None, dry_run=manner.dry_run)
    answer = _post(client, batch_id, body, command_id, f"run it again with --command-id {command_id}")
    _print(batch_id, answer, manner)
    return answer.code


def command_each(client: ApiClient, selection: Selection, order: Order, manner: Manner) -> ExitCode:
    """Command each batch of a selection: first its count and a sample, then a question, then one by one.

    Each command has an id derived from the run, the command and the batch in its epoch, so the same line
    again goes on where it stopped and does nothing twice.
    """
    found = client.items("/batches", "batches", {**read_where(selection.where), "page_size": "100"})
    batches = list(islice(found, selection.maximum + 1))
    if len(batches) > selection.maximum:
        message = f"more than {selection.maximum} batches match: narrow --where, or raise --max"
        raise StopError(ExitCode.USAGE, message)
    note(f"{order.command} {len(batches)} batches at {client.target}")
    for batch in batches[:SAMPLE]:
        note(f"  {batch['batch_id']}  {batch['status']}  epoch {batch['epoch']}")
    if len(batches) > SAMPLE:
        note(f"  and {len(batches) - SAMPLE} more")
    if batches:
        ask(manner, f"{order.command} {len(batches)} batches")
    codes = [_command(client, batch, selection.run, order, manner) for batch in batches]
    refused = sum(code is not ExitCode.DONE for code in codes)
    note(f"{len(codes) - refused} of {len(codes)} {'would be ' if manner.dry_run else ''}applied")
    return max(codes, default=ExitCode.DONE)


def bulk_id(run: str, order: Order, batch_id: str, epoch: int) -> str:
    """Return the id of one command of a bulk; the reason is no part of what is commanded."""
    name = [run, order.command, order.arguments, order.if_version, batch_id, epoch]
    return str(uuid5(_BULK, json.dumps(name, sort_keys=True)))


def _command(client: ApiClient, batch: Mapping[str, Any], run: str, order: Order, manner: Manner) -> ExitCode:
    batch_id, epoch = batch["batch_id"], batch["epoch"]
    body = order.body(epoch, dry_run=manner.dry_run)
    key = bulk_id(run, order, batch_id, epoch)
    answer = _post(client, batch_id, body, key, "run the same line again: it goes on where it stopped")
    _print(batch_id, answer, manner)
    return answer.code


def ask(manner: Manner, what: str) -> None:
    """Ask before something changes; a program must have said --yes."""
    if manner.yes or manner.dry_run:
        return
    if not sys.stdin.isatty():
        raise StopError(ExitCode.USAGE, "nobody can be asked here: add --yes, or --dry-run to only judge it")
    sys.stderr.write(f"{what}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise StopError(ExitCode.WRONG, "nothing was changed")


def _post(client: ApiClient, batch_id: str, body: Mapping[str, Any], key: str, again: str) -> Answer:
    """Command; when it is not known what became of it, say how to learn that."""
    try:
        answer = client.post(f"/batches/{batch_id}/commands", body, key)
    except StopError as error:
        raise StopError(error.code, f"{error}; {again}") from error
    if answer.code in {ExitCode.UNREACHABLE, ExitCode.WRONG}:
        raise StopError(answer.code, f"{answer.problem}; {again}")
    if answer.code in {ExitCode.USAGE, ExitCode.NOT_ALLOWED}:
        raise StopError(answer.code, answer.problem)
    return answer


def _print(batch_id: str, answer: Answer, manner: Manner) -> None:
    if manner.as_json:
        emit({"batch_id": batch_id, **answer.body})
    elif answer.code is ExitCode.DONE:
        say(_applied(batch_id, answer.body))
    else:
        say(f"{batch_id}: {answer.body.get('code', answer.status)}: {answer.problem}")


def _applied(batch_id: str, result: Mapping[str, Any]) -> str:
    verb = "would be applied" if result["is_dry_run"] else "applied"
    done = f"{batch_id}: {verb}; {result['status']}, epoch {result['epoch']}, version {result['version']}"
    released = [f"{one['text_storage_id']} from {one['essay_id']}" for one in result["released"]]
    parts = [done, _listed("withdrawn", result["withdrawn_essay_ids"]), _listed("released", released)]
    if result["taken_in_count"]:
        parts.append(f"{result['taken_in_count']} excess contents taken in")
    if result["is_repeated"]:
        parts.append("this id was answered before, nothing was done twice")
    return "; ".join(part for part in parts if part)


def _listed(word: str, ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SAMPLE} more" if len(ids) > SAMPLE else ""
    return f"{word} {', '.join(ids[:SAMPLE])}{more}" if ids else ""
