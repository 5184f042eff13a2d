"""What needs the stores refuses wrong arguments before it asks any, and says only what it knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from els import stores
from els.exits import ExitCode
from els.main import main
from els_core.application.audit_batches import AuditReport
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = ["--actor", "a", "--reason", "r"]
WRONG: list[Sequence[str]] = [
    ["audit", "--days", "0"],
    ["audit", "--days", "1e3"],
    ["audit", "--days", "36501"],
    ["audit", "extra"],
    ["erase", *TEXTS],
    ["erase", *TEXTS, "--batch", "a", "--user", "b"],
    ["erase", *TEXTS, "--user", ""],
    ["erase", *TEXTS, "--batch", "a b"],
    ["erase", *TEXTS, "--batch", "a\x00"],
    ["erase", *TEXTS, "--batch", "a\udcff"],
    ["erase", *TEXTS, "--batch", "a" * 129],
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
    monkeypatch.delattr(stores, "container")
    assert main(arguments) == ExitCode.USAGE
    assert "els" in capsys.readouterr().err


@pytest.mark.fault(42)
def test_an_audit_that_met_a_fault_could_not_find_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = ExternalServiceError("publish events", service="EventBridge")
    use_case = SimpleNamespace(run=lambda *_, **__: AuditReport(faults=[fault], unchecked=True))
    container = SimpleNamespace(
        settings=SimpleNamespace(event_bus="outbound"), audit_batches=lambda _: use_case
    )
    monkeypatch.setattr(stores, "container", lambda: container)
    assert main(["audit"]) == ExitCode.UNREACHABLE
    assert capsys.readouterr().err.splitlines() == [f"els: {fault}"]
