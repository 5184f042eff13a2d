"""Dead letters: look into the queues, and send back what can succeed now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from els.exits import ExitCode, StopError
from els.output import emit, note, say, table
from els.steering import ask

if TYPE_CHECKING:
    from els.client import ApiClient
    from els.steering import Manner


def list_letters(client: ApiClient, queue: str | None, *, as_json: bool) -> ExitCode:
    """Print what a look into the dead-letter queues shows, which need not be all."""
    answer = client.get("/dead-letters", {"queue": queue} if queue else {}).or_stop().body
    letters = answer["dead_letters"]
    if as_json:
        for letter in letters:
            emit(letter)
        return ExitCode.DONE
    rows = [
        (each["queue"], each["message_id"], each["error_code"], each["batch_id"], each["reason"])
        for each in letters
    ]
    table(("queue", "message", "error", "batch", "reason"), rows)
    for each in answer["queues"]:
        say(f"{each['queue']}: about {each['count']}")
    return ExitCode.DONE


def show_letter(client: ApiClient, message_id: str, *, as_json: bool) -> ExitCode:
    """Print one dead letter with its body, which may hold file names."""
    letters = client.get("/dead-letters", {"view": "full"}).or_stop().body["dead_letters"]
    found: dict[str, Any] | None = next((each for each in letters if each["message_id"] == message_id), None)
    if found is None:
        message = "no such message in this look into the queues: a look shows some of them, so look again"
        raise StopError(ExitCode.NOT_FOUND, message)
    if as_json:
        emit(found)
    else:
        for name, value in found.items():
            say(f"{name.replace('_', ' '):16}{'-' if value is None else value}")
    return ExitCode.DONE


def redrive(client: ApiClient, queue: str, maximum: int, manner: Manner) -> ExitCode:
    """Send dead letters back to their queue; what arrives twice changes nothing."""
    note(f"redrive at most {maximum} messages of {queue} at {client.target}")
    ask(manner, f"redrive {queue}")
    body = {"queue": queue, "max_count": maximum, "dry_run": manner.dry_run}
    answer = client.post("/dead-letters/redrive", body).or_stop().body
    if manner.as_json:
        emit(answer)
    else:
        verb = "would go back" if answer["is_dry_run"] else "went back"
        say(f"{queue}: {answer['redriven_count']} {verb}, {answer['remaining_count']} remain")
    return ExitCode.DONE
