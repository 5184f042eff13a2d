"""Speaks to the HTTP API: signs each request, and turns what is not an answer into a sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from els.exits import ExitCode, StopError, exit_code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from els.target import Target

ATTEMPTS = 3
MAX_PAUSE_SECONDS = 5.0
BUSY = {429, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered, as it came, and as the object of its JSON: empty for 304."""

    status: int
    content: bytes
    etag: str | None = None
    content_type: str = "application/json"
    body: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "body", _object(self.content))

    @property
    def code(self) -> ExitCode:
        """Return how a command with this answer ends."""
        return exit_code_of(self.status)

    @property
    def problem(self) -> str:
        """Return what a refusal says, for people."""
        for key in ("detail", "title", "message"):
            if isinstance(text := self.body.get(key), str):
                return text
        return f"the API answered {self.status}"

    def or_stop(self) -> Answer:
        """Return this answer, or end the command with what the problem is."""
        if self.code is not ExitCode.DONE:
            raise StopError(self.code, self.problem)
        return self


@dataclass
class ApiClient:
    """The API of one deployment. Repeating is safe: readings change nothing and commands carry an id."""

    target: Target
    pause: Callable[[float], object] = field(default_factory=lambda: Event().wait)

    def __post_init__(self) -> None:
        self._pool = PoolManager(maxsize=8, retries=False, timeout=Timeout(connect=5, read=35))
        self._session = Session(profile=self.target.profile)

    def get(self, path: str, query: Mapping[str, str] | None = None, etag: str | None = None) -> Answer:
        """Return the answer to a GET; a problem is an answer too."""
        return self.request("GET", path, query, headers={"If-None-Match": etag} if etag else {})

    def items(self, path: str, key: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page."""
        asked = dict(query)
        while True:
            body = self.get(path, asked).or_stop().body
            yield from body[key]
            if not body.get("next_page_token"):
                return
            asked["page_token"] = body["next_page_token"]

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Answer:
        """Return the answer to a POST with this idempotency key."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return self.request("POST", path, body=json.dumps(body).encode(), headers=headers)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> Answer:
        """Return the answer, after as many attempts as a busy service needs, at most three."""
        url = self.target.url + quote(path, safe="/:") + (f"?{urlencode(query)}" if query else "")
        answer, after = self._send(method, url, headers, body)
        for _ in range(ATTEMPTS - 1):
            if answer.status not in BUSY:
                break
            self.pause(min(after, MAX_PAUSE_SECONDS))
            answer, after = self._send(method, url, headers, body)
        return answer

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, float]:
        signed = self._signed(method, url, headers, body)
        try:
            got = self._pool.request(method, url, headers=signed, body=body or None, redirect=False)
        except HTTPError as error:
            message = f"cannot reach {self.target}: {type(error).__name__}"
            raise StopError(ExitCode.UNREACHABLE, message) from error
        after = got.headers.get("Retry-After", "1")
        kind = got.headers.get("Content-Type", "application/json")
        answer = Answer(got.status, got.data, got.headers.get("ETag"), kind)
        return answer, float(after) if after.isdigit() else 1.0

    def _signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return the headers with the signature of the AWS profile; a kept demo checks none."""
        host = {"Host": self.target.host} if self.target.host else {}
        request = AWSRequest(method, url, headers={**headers, **host}, data=body)
        SigV4Auth(self._credentials(), "execute-api", self._region()).add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def _credentials(self) -> Any:
        if self.target.is_demo:
            return Credentials("test", "test")
        try:
            found = self._session.get_credentials()
        except BotoCoreError as error:
            raise StopError(ExitCode.NOT_ALLOWED, f"no AWS credentials: {error}") from error
        if found is None:
            message = "no AWS credentials: log in, or name a profile with --profile or AWS_PROFILE"
            raise StopError(ExitCode.NOT_ALLOWED, message)
        return found

    def _region(self) -> str:
        try:
            region = self.target.region or self._session.get_config_variable("region")
        except BotoCoreError as error:
            raise StopError(ExitCode.USAGE, str(error)) from error
        if not region:
            message = "no AWS region: give --region, or set it in the profile or in AWS_DEFAULT_REGION"
            raise StopError(ExitCode.USAGE, message)
        return str(region)


def _object(data: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; what is none, such as a proxy's page, is empty."""
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
