"""The shell refuses what is wrong in one line, and says only what it knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.announce_batch import Announced
from els_core.application.audit_batches import AuditReport
from els_core.application.post_commit import PublishResult
from els_core.cli import main as cli
from els_core.domain.errors import ExternalServiceError
from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

ERASE = ["erase", "--actor", "a", "--reason", "r"]
WRONG: list[Sequence[str]] = [
    [],
    ["audit", "--days", "0"],
    ["audit", "--days", "1e3"],
    ["audit", "--days", "36501"],
    ["audit", "--days", "\u0661"],
    ["audit", "extra"],
    ["announce"],
    ["announce", ""],
    ["announce", "a b"],
    ["announce", "a\x00"],
    ["announce", "a\udcff"],
    ["announce", "a" * 129],
    ["announce", "b", "c"],
    [*ERASE],
    [*ERASE, "--batch", "a", "--user", "b"],
    [*ERASE, "--user", ""],
    ["erase", "--batch", "a", "--actor", "a"],
    ["erase", "--batch", "a", "--actor", "", "--reason", "r"],
    ["erase", "--batch", "a", "--actor", "a\x00", "--reason", "r"],
    ["erase", "--batch", "a", "--actor", "a", "--reason", "\udcff"],
    ["erase", "--batch", "a", "--actor", "a", "--reason", "r" * 501],
    ["unheard-of"],
]


@pytest.mark.fault(40)
@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_arguments_are_refused_before_any_store_is_asked(
    arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(cli, "container")
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == cli.UNABLE
    assert "els" in capsys.readouterr().err


FAULT = ExternalServiceError("publish events", service="EventBridge")


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    ("published", "state", "code"),
    [
        (PublishResult(1, 0), "is published", cli.OK),
        (PublishResult(0, 1, (FAULT,)), "is in the outbox, not published; each relay", cli.FINDINGS),
    ],
)
def test_an_announcement_is_called_published_only_when_the_bus_took_it(
    published: PublishResult,
    state: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = OutboxMessage(UUID(int=1), "b", "BatchEssaysReady", "{}")
    use_case = SimpleNamespace(announce=lambda _: Announced(message, published))
    settings = SimpleNamespace(required_event_bus="outbound")
    container = SimpleNamespace(settings=settings, announce_batch=lambda: use_case)
    monkeypatch.setattr(cli, "container", lambda: container)
    assert cli.main(["announce", "b"]) == code
    printed = capsys.readouterr()
    assert state in printed.out
    assert printed.err.splitlines() == [f"els: {fault}" for fault in published.faults]


@pytest.mark.fault(42)
def test_an_audit_that_met_a_fault_could_not_find_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = AuditReport(faults=[FAULT], unchecked=True)
    use_case = SimpleNamespace(run=lambda *_, **__: report)
    settings = SimpleNamespace(event_bus="outbound")
    container = SimpleNamespace(settings=settings, audit_batches=lambda _: use_case)
    monkeypatch.setattr(cli, "container", lambda: container)
    assert cli.main(["audit"]) == cli.UNABLE
    assert capsys.readouterr().err.splitlines() == [f"els: {FAULT}"]
