"""An API on the loopback that answers from a table and remembers what it was asked."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


class StubApi(ThreadingHTTPServer):
    """Gives each answer of a path once, and the last one for ever; 404 for what has no answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.asked: list[Asked] = []
        self._answers: dict[str, deque[tuple[int, Any, Mapping[str, str]]]] = defaultdict(deque)
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, status: int, body: Any, **headers: str) -> None:
        self._answers[path].append((status, body, headers))

    def sent(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.method == method]

    def next_answer(self, path: str) -> tuple[int, Any, Mapping[str, str]]:
        answers = self._answers[path]
        if not answers:
            return 404, {"detail": "nothing there", "code": "UNKNOWN_BATCH"}, {}
        return answers.popleft() if len(answers) > 1 else answers[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Request(BaseHTTPRequestHandler):
    server: StubApi

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(content) if content else None
        query = dict(parse_qsl(parts.query))
        self.server.asked.append(Asked(self.command, parts.path, query, dict(self.headers.items()), body))
        status, answer, headers = self.server.next_answer(parts.path)
        given = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(0 if status == 304 else len(given)))
        self.end_headers()
        if status != 304:
            self.wfile.write(given)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the name of the library
