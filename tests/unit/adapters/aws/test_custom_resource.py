"""CloudFormation gets exactly one response, whatever happens: small enough, in time, and without a secret."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from els_core.adapters.aws.custom_resource import MAX_BYTES, RESERVE_SECONDS, respond
from els_core.domain.errors import ExternalServiceError
from els_core.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM = "2026/01/31/[$LATEST]abc"


class ResponseEndpoint:
    """The response URL of CloudFormation: keeps what is put, after the first `failures` requests."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.content_types: list[str | None] = []
        self.failures = 0
        self.url = ""


@contextmanager
def serving(endpoint: ResponseEndpoint) -> Iterator[ResponseEndpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if endpoint.failures:
                endpoint.failures -= 1
                self.send_error(503)
                return
            endpoint.received.append(body)
            endpoint.content_types.append(self.headers["Content-Type"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_port}/answer"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def endpoint() -> Iterator[ResponseEndpoint]:
    with serving(ResponseEndpoint()) as endpoint:
        yield endpoint


def request(endpoint: ResponseEndpoint, request_type: str = "Create") -> dict[str, Any]:
    return {
        "RequestType": request_type,
        "ResponseURL": endpoint.url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "DatabaseSchema",
    }


def plenty() -> float:
    return 300.0


def only_answer(endpoint: ResponseEndpoint) -> dict[str, Any]:
    [body] = endpoint.received
    assert len(body) <= MAX_BYTES
    answer: dict[str, Any] = json.loads(body)
    return answer


def failing(error: BaseException) -> Any:
    def work() -> str:
        raise error

    return work


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_success_is_answered_with_the_revision(endpoint: ResponseEndpoint, request_type: str) -> None:
    respond(request(endpoint, request_type), STREAM, plenty, lambda: "0002")
    answer = only_answer(endpoint)
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {"Revision": "0002"})
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == (
        "stack",
        "request",
        "DatabaseSchema",
    )
    assert STREAM in answer["Reason"]
    assert endpoint.content_types == [""]


@pytest.mark.fault(37)
def test_delete_succeeds_without_doing_anything(endpoint: ResponseEndpoint) -> None:
    respond(request(endpoint, "Delete"), STREAM, plenty, failing(AssertionError("no work for Delete")))
    assert only_answer(endpoint)["Status"] == "SUCCESS"


FAILURES: list[tuple[BaseException, str]] = [
    (SettingsError("ELS_DATABASE_URL is missing"), "ELS_DATABASE_URL is missing"),
    (ExternalServiceError("migrate", service="Postgres"), 'Postgres is unavailable: "migrate" failed.'),
    (ModuleNotFoundError("No module named 'alembic'"), "ModuleNotFoundError was raised"),
    (ConnectionError("postgresql://owner:secret@host"), "ConnectionError was raised"),
    (SystemExit(1), "SystemExit was raised"),
]


@pytest.mark.fault(37)
@pytest.mark.parametrize(("error", "reason"), FAILURES)
def test_every_failure_is_answered_and_only_the_text_of_our_own_errors_is_shown(
    endpoint: ResponseEndpoint, error: BaseException, reason: str
) -> None:
    respond(request(endpoint), STREAM, plenty, failing(error))
    answer = only_answer(endpoint)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(reason)


@pytest.mark.fault(37)
def test_a_long_reason_is_cut_to_the_size_that_cloudformation_accepts(endpoint: ResponseEndpoint) -> None:
    respond(request(endpoint), STREAM, plenty, failing(SettingsError("\u00e5" * 9_000)))
    assert only_answer(endpoint)["Status"] == "FAILED"


@pytest.mark.fault(37)
def test_a_response_that_fails_is_sent_again_and_arrives_once(endpoint: ResponseEndpoint) -> None:
    endpoint.failures = 2
    respond(request(endpoint), STREAM, plenty, lambda: "0002")
    assert only_answer(endpoint)["Status"] == "SUCCESS"


@pytest.mark.fault(37)
def test_a_response_that_always_fails_is_given_up_before_the_function_ends(
    endpoint: ResponseEndpoint,
) -> None:
    endpoint.failures = 100
    with pytest.raises(TimeoutError, match="status 503"):
        respond(request(endpoint), STREAM, lambda: 1.0, lambda: "0002")


@pytest.mark.fault(38)
def test_work_that_hangs_is_answered_in_time_and_then_ended(endpoint: ResponseEndpoint) -> None:
    release, ended = Event(), []

    def hang() -> str:
        release.wait()
        return "too late"

    try:
        respond(request(endpoint), STREAM, lambda: RESERVE_SECONDS, hang, lambda: ended.append(True))
    finally:
        release.set()
    assert only_answer(endpoint)["Status"] == "FAILED"
    assert ended == [True]


def test_an_invocation_by_hand_returns_the_revision_and_raises_its_failure() -> None:
    assert respond({}, STREAM, plenty, lambda: "0002") == {"revision": "0002"}
    with pytest.raises(SettingsError):
        respond({}, STREAM, plenty, failing(SettingsError("wrong")))
