"""What people ask: which batches, where one stands, why, what happened, and is the system well."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from els.exits import ExitCode
from els.output import emit, note, say, table
from els.selection import read_where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from els.client import ApiClient

# What can be commanded in each status, in the words of the shell.
MOVES = {
    "awaited": ("cancel",),
    "open": ("close", "deadline", "add", "withdraw", "release", "cancel"),
    "ready": ("reopen", "announce"),
    "failed": ("reopen", "announce"),
    "timed_out": ("reopen", "announce"),
    "cancelled": ("reopen", "announce"),
}


def list_batches(client: ApiClient, where: str | None, limit: int, *, as_json: bool) -> ExitCode:
    """Print batches, the newest first."""
    query = {**(read_where(where) if where else {}), "page_size": str(min(limit, 500))}
    found = islice(client.items("/batches", "batches", query), limit)
    if as_json:
        for batch in found:
            emit(batch)
        return ExitCode.DONE
    rows = [
        (each["batch_id"], _status(each), _used(each), each["course_code"], each["deadline"])
        for each in found
    ]
    table(("batch", "status", "used", "course", "deadline"), rows)
    return ExitCode.DONE


def status(client: ApiClient, *, as_json: bool) -> ExitCode:
    """Print what is wrong first, then what waits."""
    system = client.get("/system").or_stop().body
    if as_json:
        emit(system)
    else:
        _print_concerns(system)
        for name, value in (system["backlog"] or {}).items():
            say(f"  {name.replace('_', ' '):24}{'-' if value is None else value}")
    return _health(system)


def doctor(client: ApiClient, *, as_json: bool) -> ExitCode:
    """Print each thing that the service rests on and whether it is well, beginning here."""
    system = client.get("/system").or_stop().body
    if as_json:
        emit(system)
        return _health(system)
    say(f"ok       the API answers and lets you read: {client.target}")
    for store in system["stores"]:
        say(f"{'ok  ' if store['is_up'] else 'DOWN'}     {store['name']}")
    for job in system["jobs"]:
        ago = job["seconds_since"]
        ran = "never ran" if ago is None else f"last ran {ago} seconds ago"
        say(f"{'NEVER' if ago is None else 'ok   '}    {job['name']} {ran}")
    for queue in system["queues"] or ():
        say(f"         {queue['name']}: {queue['waiting']} waiting, {queue['in_flight']} in flight")
    _print_concerns(system)
    return _health(system)


def show(client: ApiClient, batch_id: str, *, full: bool, as_json: bool) -> ExitCode:
    """Print all that is known of a batch; `full` shows file names, and leaves a line in the log."""
    batch = whole_batch(client, batch_id, full=full)
    if as_json:
        emit(batch)
        return ExitCode.DONE
    say(f"{batch_id}: {_status(batch)}, {batch['sentence']}")
    for name, value in batch.items():
        if isinstance(value, list):
            _print_list(name, value)
        elif name not in {"batch_id", "status", "sentence", "announcement", "next_page_token"}:
            say(f"  {name.replace('_', ' '):24}{'-' if value is None else value}")
    if batch["announcement"]:
        say(f"  announced as {batch['announcement']['detail_type']} {batch['announcement']['event_id']}")
    return ExitCode.DONE


def whole_batch(client: ApiClient, batch_id: str, *, full: bool = False) -> dict[str, Any]:
    """Return a batch with the lists of all its pages."""
    view = {"view": "full"} if full else {}
    batch = page = client.get(f"/batches/{batch_id}", view).or_stop().body
    while page["next_page_token"]:
        query = {**view, "page_token": page["next_page_token"]}
        page = client.get(f"/batches/{batch_id}", query).or_stop().body
        for name, value in page.items():
            if name in PAGED:
                batch[name] += value
    batch["next_page_token"] = None
    return batch


PAGED = {
    "ready_essays",
    "missing_essay_ids",
    "withdrawn_essay_ids",
    "validation_failures",
    "late_failures",
    "excess_contents",
}


def why(client: ApiClient, batch_id: str, *, as_json: bool) -> ExitCode:
    """Print whose move it is and what one can do."""
    batch = client.get(f"/batches/{batch_id}").or_stop().body
    moves = MOVES.get(batch["status"], ())
    if as_json:
        known = {name: batch[name] for name in ("batch_id", "status", "sentence", "mover", "is_stuck")}
        emit({**known, "commands": list(moves)})
        return ExitCode.DONE
    say(f"{batch_id}: {batch['sentence']}")
    stuck = ", and has been for three minutes: it is stuck" if batch["is_stuck"] else ""
    say(f"the next move is {MOVERS[batch['mover']]}{stuck}")
    for rejected in batch["rejected_registrations"]:
        fields = ", ".join(rejected["differing_fields"])
        say(f"registered again at {rejected['rejected_at']} with other {fields}: rejected")
    for command in batch["commands"]:
        if command["refusal"]:
            say(f"{command['command']} by {command['actor']} was refused: {command['refusal']}")
    say("you can: " + ", ".join(f"els {move} {batch_id}" for move in moves))
    return ExitCode.DONE


MOVERS = {
    "upstream": "upstream's: the service that registers batches and sends files",
    "els": "the service's own",
    "consumer": "the consumer's: the result is out",
}


def history(client: ApiClient, batch_id: str, *, as_json: bool) -> ExitCode:
    """Print what happened to a batch, the oldest first."""
    entries = client.items(f"/batches/{batch_id}/history", "entries", {})
    if as_json:
        for entry in entries:
            emit(entry)
        return ExitCode.DONE
    rows = [
        (each["at"], each["kind"], _what(each), each["reason"], each["by"], each["comment"])
        for each in entries
    ]
    table(("at", "what", "of", "reason", "by", "comment"), rows)
    return ExitCode.DONE


def find(client: ApiClient, searched: str, *, as_json: bool) -> ExitCode:
    """Print every batch in which an id occurs, and what became of it there."""
    found = list(client.items(f"/find/{searched}", "found", {}))
    if as_json:
        for place in found:
            emit(place)
    elif found:
        rows = [
            (each["batch_id"], each["kind"], each["outcome"], each["essay_id"], each["at"]) for each in found
        ]
        table(("batch", "what", "outcome", "slot", "at"), rows)
    if not found:
        note(f"{searched} occurs nowhere")
        return ExitCode.NOT_FOUND
    return ExitCode.DONE


def _what(entry: Mapping[str, Any]) -> str:
    named = (entry["command"], entry["identity"], entry["essay_id"], entry["status"])
    return " ".join(each for each in named if each)


def _status(batch: Mapping[str, Any]) -> str:
    return f"{batch['status']}, STUCK" if batch["is_stuck"] else batch["status"]


def _used(batch: Mapping[str, Any]) -> str:
    return f"{batch['assigned_count'] + batch['failed_count']}/{batch['expected_count']}"


def _health(system: Mapping[str, Any]) -> ExitCode:
    return ExitCode.DONE if system["is_well"] else ExitCode.WRONG


def _print_concerns(system: Mapping[str, Any]) -> None:
    for concern in system["concerns"]:
        say(f"{concern['severity'].upper():8} {concern['subject']}: {concern['sentence']}")
    if system["is_well"]:
        say("all is well")


def _print_list(name: str, items: list[Any]) -> None:
    if items:
        say(f"  {name.replace('_', ' ')}:")
    for item in items:
        if isinstance(item, dict):
            say("    " + "  ".join(f"{key}={value}" for key, value in item.items() if value is not None))
        else:
            say(f"    {item}")
