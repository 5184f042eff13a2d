"""The deployment tools say what went wrong: a failed migration, an architecture that does not exist."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from dev.deploy.migration import migrate
from dev.deploy.sam import architecture
from dev.deploy.stack import Stack
from dev.programs.process import ServerError


class FakeLambda:
    """Answers an invocation as Lambda does."""

    def __init__(self, payload: dict[str, str], **more: str) -> None:
        self._answer = {"Payload": io.BytesIO(json.dumps(payload).encode()), **more}
        self.invoked: list[tuple[str, bytes]] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - the names of boto3
        self.invoked.append((FunctionName, Payload))
        return self._answer


@dataclass(frozen=True)
class FakeStack(Stack):
    """A stack whose functions give the answers of a test."""

    answering: FakeLambda

    def client(self, service: str) -> FakeLambda:
        assert service == "lambda"
        return self.answering


def stack_with(answering: FakeLambda) -> FakeStack:
    return FakeStack("http://127.0.0.1:1", {"MigrateDatabaseFunction": "migrate"}, answering)


def test_a_migration_by_invocation_returns_the_revision() -> None:
    function = FakeLambda({"revision": "0001"})
    assert migrate(stack_with(function)) == "0001"
    assert function.invoked == [("migrate", b"{}")]


def test_a_failed_migration_is_an_error_that_says_what_to_do() -> None:
    function = FakeLambda({"errorMessage": "No module named 'els_core'"}, FunctionError="Unhandled")
    with pytest.raises(ServerError, match=r"No module named 'els_core'.*BUNDLE=1"):
        migrate(stack_with(function))


def test_where_there_are_no_http_apis_the_function_of_the_route_is_invoked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dev.deploy.stack.request", lambda *_, **__: SimpleNamespace(status=501))
    function = FakeLambda({"body": json.dumps({"status": "ready"})})
    stack = FakeStack(
        "http://127.0.0.1:4566", {"ApiId": "unknown", "BatchStatusFunction": "status"}, function
    )
    assert stack.status("b-7") == {"status": "ready"}
    [(name, payload)] = function.invoked
    event = json.loads(payload)
    assert (name, event["rawPath"], event["pathParameters"]) == (
        "status",
        "/batches/b-7",
        {"batch_id": "b-7"},
    )


@pytest.mark.parametrize(
    ("wanted", "built"), [("x86_64", "x86_64"), ("arm64", "arm64"), ("aarch64", "arm64")]
)
def test_make_chooses_the_architecture(monkeypatch: pytest.MonkeyPatch, wanted: str, built: str) -> None:
    monkeypatch.setenv("ARCH", wanted)
    assert architecture() == built


def test_an_architecture_that_lambda_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCH", "riscv64")
    with pytest.raises(ServerError, match="riscv64: expected x86_64 or arm64"):
        architecture()
