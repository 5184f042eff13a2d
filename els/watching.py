"""Follow batches live: a line for each change that the API shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

from els.exits import ExitCode
from els.output import emit, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from els.client import ApiClient

ENDED = {"ready", "failed", "timed_out", "cancelled"}


def watch_batch(client: ApiClient, batch_id: str, seconds: float, *, as_json: bool) -> ExitCode:
    """Print each change of a batch until its final result is announced."""
    etag = None
    while True:
        answer = client.get(f"/batches/{batch_id}", etag=etag).or_stop()
        if answer.body:
            _print(answer.body, answer.body["sentence"], as_json=as_json)
            if _is_over(answer.body):
                return ExitCode.DONE
            etag = answer.etag
        client.pause(seconds)


def watch_all(client: ApiClient, seconds: float, *, as_json: bool) -> Never:
    """Print each change of one of the newest hundred batches, until interrupted."""
    seen: dict[str, int] = {}
    while True:
        for batch in reversed(client.get("/batches", {"page_size": "100"}).or_stop().body["batches"]):
            if seen.get(batch["batch_id"]) != batch["version"]:
                _print(batch, "STUCK" if batch["is_stuck"] else "", as_json=as_json)
            seen[batch["batch_id"]] = batch["version"]
        client.pause(seconds)


def _is_over(batch: Mapping[str, Any]) -> bool:
    announcement = batch["announcement"]
    return batch["status"] in ENDED and (announcement is None or announcement["unsent_since"] is None)


def _print(batch: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        emit(batch)
        return
    used = f"{batch['assigned_count']}+{batch['failed_count']}/{batch['expected_count']}"
    line = f"{batch['changed_at']}  {batch['batch_id']}  {batch['status']:9}  {used:>9}  {text}"
    say(line.rstrip())
