"""What a reply of Redis means: a sensible one is a proposal, everything else is `unknown`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from redis.exceptions import NoScriptError, ResponseError

from els_core.adapters.redis.coordinator import RedisCoordinator
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
REPLIES: list[tuple[object, Proposal]] = [
    # reply                   proposal
    ("assigned essay-0000",   Proposal(ProposalKind.ASSIGNED, "essay-0000")),
    ("duplicate essay-0000",  Proposal(ProposalKind.DUPLICATE, "essay-0000")),
    ("failed essay-0000",     Proposal(ProposalKind.FAILED, "essay-0000")),
    ("full",                  Proposal(ProposalKind.FULL)),
    ("unknown",               UNKNOWN),
    ("assigned",              UNKNOWN),
    ("assigned ",             UNKNOWN),
    ("full essay-0000",       UNKNOWN),
    ("QUEUED",                UNKNOWN),
    ("",                      UNKNOWN),
    (None,                    UNKNOWN),
    (7,                       UNKNOWN),
    ([],                      UNKNOWN),
]  # fmt: skip


@pytest.mark.fault(16)
@pytest.mark.parametrize(("reply", "proposal"), REPLIES)
def test_only_a_sensible_reply_is_a_proposal(reply: object, proposal: Proposal) -> None:
    assert propose(FakeClient([[[reply]]]), "a") == [proposal]


@pytest.mark.fault(16)
@pytest.mark.parametrize("reply", ["QUEUED", None, 1, [], ["full"], ["full", "full", "full"]])
def test_a_reply_of_the_wrong_length_makes_every_arrival_unknown(reply: object) -> None:
    assert propose(FakeClient([[reply]]), "a", "c") == [UNKNOWN, UNKNOWN]


@pytest.mark.fault(17)
def test_a_script_that_is_not_cached_is_sent_with_its_text() -> None:
    client = FakeClient([[NoScriptError("NOSCRIPT")], [["full"]]])
    assert propose(client, "a") == [Proposal(ProposalKind.FULL)]
    assert client.commands == ["EVALSHA", "EVAL"]


@pytest.mark.fault(16)
def test_an_error_inside_the_script_makes_the_batch_unknown() -> None:
    wrong_type = ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
    assert propose(FakeClient([[wrong_type]]), "a") == [UNKNOWN]


@pytest.mark.fault(21)
@pytest.mark.parametrize("code", ["OOM", "MISCONF", "NOREPLICAS"])
def test_a_server_that_cannot_write_is_a_fault(code: str) -> None:
    with pytest.raises(ExternalServiceError, match="Redis"):
        propose(FakeClient([[ResponseError(f"{code} no writes")]]), "a")
