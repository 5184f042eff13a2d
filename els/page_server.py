"""Serves the page on the loopback and forwards what it asks, signed, so that IAM stays the only door.

Whoever can send a request to this port could use the rights of the profile. So a request must name this host
(no other name may be made to lead here), carry the cookie that only the printed address sets, and come from
this page itself: another site in the same browser has none of the three.
"""

from __future__ import annotations

import hmac
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from els.exits import ExitCode, StopError
from els.output import say

if TYPE_CHECKING:
    from els.client import Answer, ApiClient

FOLDER = Path(__file__).parents[1] / "web"
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
API = "/api"
MAX_BODY_BYTES = 1_000_000
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class PageServer(ThreadingHTTPServer):
    """The page of one deployment; `url` is the address that lets a browser in."""

    daemon_threads = True

    def __init__(self, client: ApiClient, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.client = client
        self.token = secrets.token_urlsafe(24)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """Return the address with the token."""
        return f"{self.origin}/?token={self.token}"


def serve(client: ApiClient, port: int) -> ExitCode:
    """Serve until interrupted."""
    with PageServer(client, port) as server:
        say(f"the page of {client.target}:\n{server.url}\nstop with ^C")
        sys.stdout.flush()  # a program that starts it waits for the address
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say()
    return ExitCode.DONE


class _Request(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """Answer with a file of the page, or with what the API answers."""
        path = urlsplit(self.path).path
        if not self._is_from_here():
            self._answer(HTTPStatus.FORBIDDEN, b"open the address that els page printed", "text/plain")
        elif self._has_token_in_address():
            self._let_in()
        elif not self._has_cookie():
            self._answer(HTTPStatus.FORBIDDEN, b"open the address that els page printed", "text/plain")
        elif path.startswith(f"{API}/"):
            self._forward("GET", b"")
        elif path in FILES:
            name, kind = FILES[path]
            self._answer(HTTPStatus.OK, (FOLDER / name).read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"no such file", "text/plain")

    def do_POST(self) -> None:
        """Forward a command; only the page itself may send one."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY_BYTES):
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"the body is too large", "text/plain")
            return
        body = self.rfile.read(int(length))
        is_own = self.headers.get("Origin") == self.server.origin
        if not (is_own and self._is_from_here() and self._has_cookie() and self.path.startswith(f"{API}/")):
            self._answer(HTTPStatus.FORBIDDEN, b"only the page itself may command", "text/plain")
            return
        self._forward("POST", body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
        """Log nothing: the address holds the token."""

    def _is_from_here(self) -> bool:
        is_named = self.headers.get("Host") == urlsplit(self.server.origin).netloc
        return is_named and self.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}

    def _has_token_in_address(self) -> bool:
        given = dict(parse_qsl(urlsplit(self.path).query)).get("token", "")
        return urlsplit(self.path).path == "/" and self._is_token(given)

    def _has_cookie(self) -> bool:
        cookies = (each.strip().partition("=") for each in self.headers.get("Cookie", "").split(";"))
        return any(name == self._cookie and self._is_token(value) for name, _, value in cookies)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.server.token.encode())

    @property
    def _cookie(self) -> str:
        """Return the name of the cookie; ports share their cookies."""
        return f"els-{self.server.server_address[1]}"

    def _let_in(self) -> None:
        """Set the cookie and take the token out of the address."""
        cookie = f"{self._cookie}={self.server.token}; HttpOnly; SameSite=Strict; Path=/"
        self._answer(HTTPStatus.SEE_OTHER, b"", "text/plain", {"Location": "/", "Set-Cookie": cookie})

    def _forward(self, method: str, body: bytes) -> None:
        parts = urlsplit(self.path.removeprefix(API))
        named = ("If-None-Match", "Idempotency-Key")
        headers = {name: self.headers[name] for name in named if self.headers[name]}
        if body:
            headers["Content-Type"] = "application/json"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            answer = self.server.client.request(
                method, unquote(parts.path), query, headers=headers, body=body
            )
        except StopError as error:
            status = HTTPStatus.FORBIDDEN if error.code is ExitCode.NOT_ALLOWED else HTTPStatus.BAD_GATEWAY
            self._answer(status, str(error).encode(), "text/plain")
            return
        self._pass_on(answer)

    def _pass_on(self, answer: Answer) -> None:
        etag = {"ETag": answer.etag} if answer.etag else {}
        self._answer(answer.status, answer.content, answer.content_type, etag)

    def _answer(self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != HTTPStatus.NOT_MODIFIED:
            self.wfile.write(content)
