"""Runs the work of a CloudFormation custom resource and sends its response, whatever happens.

Without a response the stack waits for an hour. So everything that can fail runs inside `respond`, the imports
of the work too: this module needs the standard library alone. The work gets the time that the function has,
less a reserve for the response.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import json
import os
from http.client import HTTPException
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable

# Constant, so that an update never makes CloudFormation delete an "old" resource.
PHYSICAL_ID = "els-database-schema"
MAX_BYTES = 4_096
RESERVE_SECONDS = 30.0  # for the response
PUT_SECONDS = 5.0
PAUSE_SECONDS = 0.5


def respond(
    event: dict[str, Any],
    log_stream: str,
    remaining_seconds: Callable[[], float],
    work: Callable[[], str],
    end_process: Callable[[], object] = lambda: os._exit(1),
) -> dict[str, Any]:
    """Run the work for Create, Update and a direct invocation; Delete keeps the data and succeeds.

    Work that does not end in time is answered as failed, and then `end_process` ends it, whether the answer
    arrived or not: its connections are closed, so that Postgres frees its locks.
    """
    outcome = _Outcome()
    match event.get("RequestType"):
        case "Delete":
            pass
        case _ if "ResponseURL" not in event:
            return {"revision": work()}
        case "Create" | "Update":
            outcome.run(work, remaining_seconds() - RESERVE_SECONDS)
        case _:
            outcome.refuse("RequestType must be Create, Update or Delete")
    response = {
        "PhysicalResourceId": event.get("PhysicalResourceId") or PHYSICAL_ID,
        "StackId": event.get("StackId"),
        "RequestId": event.get("RequestId"),
        "LogicalResourceId": event.get("LogicalResourceId"),
        **outcome.fields(),
    }
    response["Reason"] = f"{response.get('Reason', 'done')}; see the log stream {log_stream}"
    try:
        if "ResponseURL" in event:
            _put(event["ResponseURL"], _encode(response), remaining_seconds)
    finally:
        if outcome.is_hanging:
            end_process()
    return response


class _Outcome:
    """What became of the work, which runs in a thread so that a hanging one can be left behind."""

    def __init__(self) -> None:
        self._done = Event()
        self._revision: str | None = None
        self._failure: BaseException | None = None
        self._refusal: str | None = None
        self.is_hanging = False

    def refuse(self, reason: str) -> None:
        self._refusal = reason

    def run(self, work: Callable[[], str], seconds: float) -> None:
        if seconds <= 0:
            self.refuse("the function had no time left for the work")
            return
        Thread(target=self._work, args=(work,), daemon=True).start()
        self.is_hanging = not self._done.wait(seconds)

    def _work(self, work: Callable[[], str]) -> None:
        try:
            self._revision = work()
        except BaseException as failure:  # noqa: BLE001 - it is answered; SystemExit of an import too
            self._failure = failure
        finally:
            self._done.set()

    def fields(self) -> dict[str, Any]:
        """Return what the response says of the work."""
        if self.is_hanging:
            return {"Status": "FAILED", "Reason": "the work did not end in the time of the function"}
        if self._refusal is not None:
            return {"Status": "FAILED", "Reason": self._refusal}
        if self._failure is not None:
            return {"Status": "FAILED", "Reason": _reason(self._failure)}
        return {"Status": "SUCCESS", "Data": {"Revision": self._revision}}


def _reason(failure: BaseException) -> str:
    """Return the message of an error of ours, and of any other the class: its text may hold secrets."""
    is_ours = type(failure).__module__.startswith("els_core.")
    return str(failure) if is_ours else f"{type(failure).__name__} was raised"


def _encode(response: dict[str, Any]) -> bytes:
    """Return the response as JSON of at most 4096 bytes; the reason is cut to fit."""
    body = json.dumps(response).encode()
    while len(body) > MAX_BYTES and response["Reason"]:
        response["Reason"] = response["Reason"][: -max((len(body) - MAX_BYTES) // 6, 1)]
        body = json.dumps(response).encode()
    return body


def _put(url: str, body: bytes, remaining_seconds: Callable[[], float]) -> None:
    """Put the response where CloudFormation waits for it; try again while there is time."""
    request = Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310 - from AWS
    pause = Event()
    while True:
        try:
            with urlopen(request, timeout=PUT_SECONDS):  # noqa: S310 - the same
                return
        except HTTPError as error:
            failure = f"status {error.code}"
        except (HTTPException, OSError) as error:
            failure = type(error).__name__
        if remaining_seconds() < 2 * PUT_SECONDS:
            raise TimeoutError(f"CloudFormation could not be answered: {failure}")
        pause.wait(PAUSE_SECONDS)
