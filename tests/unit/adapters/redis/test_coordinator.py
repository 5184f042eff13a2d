"""What a reply of Redis means: a sensible one is a proposal, everything else is `unknown`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from redis.exceptions import NoScriptError, ResponseError

from els_core.adapters.redis import script_runner
from els_core.adapters.redis.connection import connect
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.redis.replies import assigned_slots_of
from els_core.domain.batches import AssignedSlot
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.factories import NOW, content


@dataclass
class FakeClient:
    """A Redis client whose pipelines return the given replies, one list per pipeline."""

    replies: list[list[Any]]
    commands: list[str] = field(default_factory=list)

    def pipeline(self, *, transaction: bool) -> FakeClient:
        assert not transaction
        return self

    def execute_command(self, command: str, *_: object) -> None:
        self.commands.append(command)

    def execute(self, *, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        return self.replies.pop(0)


def propose(client: Any, *names: str) -> list[Proposal]:
    arrivals = [content(name) for name in names]
    return RedisCoordinator(client, timedelta(days=90)).propose(arrivals, NOW)


UNKNOWN = Proposal(ProposalKind.UNKNOWN)
VERSION = b"7"
REPLIES: list[tuple[object, Proposal]] = [
    # reply                    proposal
    (b"assigned essay-0000",   Proposal(ProposalKind.ASSIGNED, "essay-0000", 7)),
    (b"duplicate essay-0000",  Proposal(ProposalKind.DUPLICATE, "essay-0000", 7)),
    (b"failed essay-0000",     Proposal(ProposalKind.FAILED, "essay-0000", 7)),
    (b"full",                  Proposal(ProposalKind.FULL, None, 7)),
    (b"unknown",               Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"assigned",              Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"assigned ",             Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"assigned a\x00b",       Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"assigned \xff\xfe",     Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"assigned " + b"a" * 129, Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"assigned a\n",          Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"full essay-0000",       Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"QUEUED",                Proposal(ProposalKind.UNKNOWN, None, 7)),
    (b"",                      Proposal(ProposalKind.UNKNOWN, None, 7)),
    ("assigned essay-0000",    Proposal(ProposalKind.UNKNOWN, None, 7)),
    (None,                     Proposal(ProposalKind.UNKNOWN, None, 7)),
    (7,                        Proposal(ProposalKind.UNKNOWN, None, 7)),
    ([],                       Proposal(ProposalKind.UNKNOWN, None, 7)),
]  # fmt: skip


@pytest.mark.fault(16)
@pytest.mark.parametrize(("reply", "proposal"), REPLIES)
def test_only_a_sensible_reply_is_a_proposal(reply: object, proposal: Proposal) -> None:
    assert propose(FakeClient([[[VERSION, reply]]]), "a") == [proposal]


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    "reply", [b"QUEUED", None, 1, [], [b"full"], [b"full", b"full"], [VERSION, *[b"full"] * 3], {}]
)
def test_a_reply_of_the_wrong_length_makes_every_arrival_unknown(reply: object) -> None:
    assert propose(FakeClient([[reply]]), "a", "c") == [UNKNOWN, UNKNOWN]


@pytest.mark.fault(17)
def test_a_script_that_is_not_cached_is_sent_with_its_text() -> None:
    client = FakeClient([[NoScriptError("NOSCRIPT")], [[VERSION, b"full"]]])
    assert propose(client, "a") == [Proposal(ProposalKind.FULL, None, 7)]
    assert client.commands == ["EVALSHA", "EVAL"]


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    "version", [b"", b"0", b"-1", b"inf", b"nan", b"1e9", b"7.0", b"9" * 16, b"\xff", b" 7", None, 7, []]
)
def test_a_version_that_makes_no_sense_makes_every_arrival_unknown(version: object) -> None:
    assert propose(FakeClient([[[version, b"assigned essay-0000"]]]), "a") == [UNKNOWN]


ERRORS = ["WRONGTYPE", "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "NOPERM", "BUSY", "ERR", "OOM", "ODD"]


@pytest.mark.fault(28)
@pytest.mark.parametrize("code", ERRORS)
def test_every_error_but_a_lost_script_is_a_fault_with_its_code(code: str) -> None:
    with pytest.raises(ExternalServiceError, match=code):
        propose(FakeClient([[ResponseError(f"{code} some text")]]), "a")


@pytest.mark.fault(28)
@pytest.mark.parametrize("text", ["ÅSA.TXT cannot be stored", "ANNA-850101 x", "A" * 300, "7", ""])
def test_a_word_that_is_no_error_code_is_not_repeated(text: str) -> None:
    with pytest.raises(ExternalServiceError, match=r"\(ResponseError\)"):
        propose(FakeClient([[ResponseError(text)]]), "a")


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"7",
        b"null",
        b"[]",
        b'["a"]',
        b'["a", 7, null]',
        b'[null, "a.txt", null]',
        b"[" * 100_000,
    ],
)
def test_a_stored_content_that_makes_no_sense_is_left_out(value: bytes) -> None:
    good = AssignedSlot("essay-0001", "b", "b.txt")
    reply = {b"essay-0000": value, b"essay-0001": b'["b", "b.txt", null]'}
    assert assigned_slots_of(reply) == [good]


@pytest.mark.fault(27)
def test_connections_that_cannot_be_closed_do_not_hide_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise OSError

    monkeypatch.setattr(script_runner, "drop_connections", fail)
    with pytest.raises(ExternalServiceError, match="BUSY"):
        propose(FakeClient([[ResponseError("BUSY x")]]), "a")


@pytest.mark.fault(28)
def test_a_cluster_that_cannot_be_reached_is_a_fault_of_every_question() -> None:
    cluster = RedisCoordinator(connect("redis://127.0.0.1:1", cluster=True), timedelta(days=90))
    questions = (cluster.ping, lambda: cluster.get_missing_slots("b"), lambda: cluster.inspect(["b"]))
    for question in questions:
        with pytest.raises(ExternalServiceError, match="Redis"):
            question()


@pytest.mark.fault(26)
def test_a_reply_that_the_client_cannot_read_is_a_fault() -> None:
    with pytest.raises(ExternalServiceError, match="IndexError"):
        propose(FakeClient([]), "a")


@pytest.mark.fault(21)
@pytest.mark.parametrize("code", ["OOM", "MISCONF", "NOREPLICAS"])
def test_a_server_that_cannot_write_is_a_fault(code: str) -> None:
    with pytest.raises(ExternalServiceError, match="Redis"):
        propose(FakeClient([[ResponseError(f"{code} no writes")]]), "a")
