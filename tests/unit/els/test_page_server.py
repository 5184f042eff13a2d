"""Only whom the printed address let in gets an answer, from this page only; what is forwarded is signed."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from els.client import ApiClient
from els.page_server import FILES, FOLDER, HEADERS, PageServer
from els.target import Target
from tests.unit.els.answers import applied, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.els.conftest import Shell
    from tests.unit.els.stub_api import StubApi


class Browser:
    """Sends what a browser would, with the cookie that it was given."""

    def __init__(self, server: PageServer) -> None:
        self.server = server
        self.cookie = ""

    def send(
        self, method: str, path: str, body: bytes | None = None, **different: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=10)
        headers: dict[str, str | None] = {
            "Cookie": self.cookie,
            "Sec-Fetch-Site": "same-origin",
            "Origin": self.server.origin,
        }
        headers |= {name.replace("_", "-"): value for name, value in different.items()}
        given = {name: value for name, value in headers.items() if value is not None}
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.headers.items()), content

    def enter(self) -> None:
        status, headers, _ = self.send(
            "GET", f"/?token={self.server.token}", Sec_Fetch_Site="none", Origin=None
        )
        assert (status, headers["Location"]) == (303, "/")
        assert headers["Set-Cookie"].endswith("; HttpOnly; SameSite=Strict; Path=/")
        self.cookie = headers["Set-Cookie"].partition(";")[0]


@pytest.fixture
def browser(els: Shell, api: StubApi) -> Iterator[Browser]:
    server = PageServer(ApiClient(Target(els.api, region="eu-north-1"), lambda _: None))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    api.answer("/batches", 200, listed([]), ETag='"1"')
    api.answer("/batches/b1/commands", 200, applied())
    yield Browser(server)
    server.shutdown()
    server.server_close()


def test_the_printed_address_lets_in_and_the_token_leaves_the_address(browser: Browser) -> None:
    assert browser.server.url.startswith("http://127.0.0.1:")
    browser.enter()
    for path, (name, kind) in FILES.items():
        status, headers, content = browser.send("GET", path)
        assert (status, content) == (200, (FOLDER / name).read_bytes())
        assert headers["Content-Type"] == kind
        assert {name: headers[name] for name in HEADERS} == HEADERS
    assert browser.send("GET", "/els/client.py")[0] == 404


def test_the_policy_allows_nothing_but_the_files_of_the_page() -> None:
    policy = dict(each.strip().partition(" ")[::2] for each in HEADERS["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy.values()) == {"'self'", "'none'"}


@pytest.mark.parametrize(
    "different",
    [
        {"Cookie": None},
        {"Cookie": "els-1=guess"},
        {"Host": "attacker.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_who_was_not_let_in_or_comes_from_elsewhere_gets_nothing(
    browser: Browser, api: StubApi, different: dict[str, Any]
) -> None:
    browser.enter()
    for path in ("/", "/page.js", "/api/batches"):
        assert browser.send("GET", path, **different)[0] == 403
    assert browser.send("POST", "/api/batches/b1/commands", b"{}", **different)[0] == 403
    assert api.asked == []


@pytest.mark.parametrize("origin", [None, "null", "http://attacker.example", "http://127.0.0.1:1"])
def test_only_the_page_itself_may_command(browser: Browser, api: StubApi, origin: str | None) -> None:
    browser.enter()
    assert browser.send("POST", "/api/batches/b1/commands", b"{}", Origin=origin)[0] == 403
    assert browser.send("POST", "/api/batches/b1/commands", b"{}")[0] == 200
    assert len(api.sent("POST")) == 1


def test_a_wrong_token_lets_nobody_in(browser: Browser) -> None:
    for path in ("/?token=", "/?token=guess", "/"):
        assert browser.send("GET", path, Sec_Fetch_Site="none")[0] == 403


def test_what_it_forwards_is_signed_with_its_key_and_etag(browser: Browser, api: StubApi) -> None:
    browser.enter()
    body = json.dumps({"command": "cancel"}).encode()
    status, _, content = browser.send("POST", "/api/batches/b1/commands", body, Idempotency_Key="key-1")
    assert (status, json.loads(content)) == (200, applied())
    [posted] = api.sent("POST")
    assert (posted.body, posted.headers["Idempotency-Key"]) == ({"command": "cancel"}, "key-1")
    assert "execute-api" in posted.headers["Authorization"]
    assert "Cookie" not in posted.headers
    _, headers, _ = browser.send("GET", "/api/batches?status=open&user_id=a%2Bb")
    assert headers["ETag"] == '"1"'
    api.answer("/batches", 304, {})
    browser.send("GET", "/api/batches", If_None_Match='"1"')
    assert browser.send("GET", "/api/batches", If_None_Match='"1"')[0] == 304
    read = [each for each in api.asked if each.method == "GET"]
    assert read[0].query == {"status": "open", "user_id": "a+b"}
    assert read[-1].headers["If-None-Match"] == '"1"'


def test_a_problem_comes_through_as_it_is_and_a_service_that_is_gone_is_said_so(
    browser: Browser, api: StubApi
) -> None:
    browser.enter()
    status, _, content = browser.send("GET", "/api/batches/unknown")
    assert (status, json.loads(content)["code"]) == (404, "UNKNOWN_BATCH")
    api.shutdown()
    api.server_close()
    status, _, content = browser.send("GET", "/api/batches")
    assert (status, content[:12]) == (502, b"cannot reach")


@pytest.mark.parametrize("length", ["", "-1", "many", "1000001", "\u0663"])
def test_a_body_without_a_sensible_length_is_not_read(browser: Browser, length: str) -> None:
    browser.enter()
    connection = HTTPConnection("127.0.0.1", browser.server.server_address[1], timeout=10)
    connection.putrequest("POST", "/api/batches/b1/commands")
    connection.putheader("Content-Length", length.encode())
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
