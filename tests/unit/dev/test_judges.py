"""A judge shares no code with what it judges, and cites the catalogue."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from uuid import UUID

import pytest

from dev.invariants.catalogue import INVARIANTS
from dev.invariants.derivations import content_identity, digest, event_id, failure_identity

# Types that hold data; what they compute from it, a judge computes again.
PLAIN_DATA = {
    "els_core.domain.arrivals": {"Arrival", "Content", "Failure"},
    "els_core.domain.batches": {"Batch", "BatchSnapshot", "RecordedFailure", "Registration", "Status"},
    "els_core.domain.commands": {"AddSlots", "Reopen"},
    "els_core.application.commands": {"CommandRequest"},
    "els_core.domain.events": {"OutboxMessage"},
    "els_core.domain.outcomes": {"Reason"},
}
DERIVED = r"\.(is_full|is_terminal|late_failures|error_categories)\b|arrival\.identity"
DEMO = (Path("dev/demo/checks.py"), Path("dev/demo/evidence.py"))
JUDGES = (*sorted(Path("dev/invariants").glob("*.py")), *DEMO)


def imported(path: Path) -> dict[str, set[str]]:
    return {
        node.module: {alias.name for alias in node.names}
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("els_core")
    }


@pytest.mark.parametrize("path", JUDGES, ids=str)
def test_a_judge_imports_nothing_of_the_service_but_plain_data(path: Path) -> None:
    for module, names in imported(path).items():
        assert names <= PLAIN_DATA.get(module, set())


@pytest.mark.parametrize("path", JUDGES, ids=str)
def test_a_judge_takes_no_derived_property_of_plain_data(path: Path) -> None:
    assert not re.findall(DERIVED, path.read_text("utf-8"))


def test_the_invariants_are_numbered_from_1_on_and_are_sentences() -> None:
    assert list(INVARIANTS) == list(range(1, 1 + len(INVARIANTS)))
    assert all(text.endswith(".") for text in INVARIANTS.values())


def test_digest_ids_and_identities_are_those_of_the_design() -> None:
    expected = "1655fb6798bf2d5aaf37e5166ea87dc49f5841349401c1810297e1c500a1fa64"  # of "s1 t2\ns2 t1\n"
    assert digest([("s2", "t1"), ("s1", "t2")]) == expected
    assert event_id("b", "BatchEssaysReady") == UUID("e97c9672-694b-58c0-8855-ee3425217f04")
    assert content_identity("t") == "content:t"
    assert failure_identity("u", "e") == "upload:u"
    assert failure_identity(None, "e") == "event:e"
