"""The page in a real Chromium, before the real functions on real stores."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from shutil import which
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from els.client import ApiClient
from els.page_server import PageServer
from els.target import Target
from tests.integration.http_server import api_gateway
from tests.integration.lambda_functions import REGION, call, example_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

CHROMIUM = which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class System:
    """The functions, one call at a time; upstream speaks with `register`, `send` and `fail`."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _lock: Lock = field(default_factory=Lock)

    def register(self, batch_id: str, *essay_ids: str, **different: Any) -> None:
        ids = {"essay_ids": list(essay_ids), "expected_essay_count": len(essay_ids)}
        self.call("register_batch", _with(0, "register_batch", {"batch_id": batch_id, **ids, **different}))

    def send(self, batch_id: str, text_storage_id: str, **different: Any) -> None:
        number = next(self._numbers)
        names = {"text_storage_id": text_storage_id, "file_upload_id": f"upload-{number}"}
        event = _with(0, "provision_content", {"batch_id": batch_id, **names, **different})
        self.call("provision_content", event)

    def fail(self, batch_id: str, file_upload_id: str) -> None:
        data = {"batch_id": batch_id, "file_upload_id": file_upload_id}
        self.call("provision_content", _with(1, "provision_content", data))

    def call(self, function: str, event: dict[str, Any]) -> Any:
        with self._lock:
            return call(function, event)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            return api_gateway(environ, start_response)


def _with(place: int, function: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the example event of a function with only one record, as a new event with other data."""
    event = example_event(function)
    record = event["Records"][place]
    body = json.loads(record["body"])
    body["detail"]["metadata"]["event_id"] = str(uuid4())
    body["detail"]["data"] |= data
    record |= {"body": json.dumps(body), "messageId": str(uuid4())}
    return event | {"Records": [record]}


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the name of the library


@contextmanager
def serving(system: System) -> Iterator[ApiClient]:
    """Serve the API of a system on the loopback and yield a client of it."""
    server = WSGIServer(("127.0.0.1", 0), _Silent)
    server.set_app(system.answer)
    with _running(server):
        yield ApiClient(Target(f"http://127.0.0.1:{server.server_port}", region=REGION), lambda _: None)


@contextmanager
def serving_page(client: ApiClient) -> Iterator[PageServer]:
    """Serve the page as `els page` does."""
    server = PageServer(client)
    with _running(server):
        yield server


@contextmanager
def _running(server: Any) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
