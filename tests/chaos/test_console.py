"""What a run prints can be read in 80 columns, and names every violation."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from dev.chaos.console import VIOLATIONS_SHOWN, verdict, violation_lines
from dev.chaos.reconciliation import CHECKS, CheckResult


def results(*violations: str) -> dict[str, list[CheckResult]]:
    first, second = "one Valkey with a replica", "a Valkey cluster"
    correct = [CheckResult(invariants, claim, []) for invariants, claim, _ in CHECKS]
    return {first: correct, second: [*correct[:-1], CheckResult(*CHECKS[-1][:2], list(violations))]}


def printed(violations: dict[str, list[CheckResult]]) -> str:
    output = StringIO()
    Console(file=output, width=200).print(verdict(violations))
    return output.getvalue()


def test_the_verdict_fits_eighty_columns_whatever_is_broken() -> None:
    text = printed(results(*("x" * 500 for _ in range(1_000))))
    assert max(map(len, text.splitlines())) <= 80
    assert "1000 BROKEN" in text


def test_the_verdict_says_of_each_check_what_it_claims_and_that_it_holds() -> None:
    text = printed(results())
    assert text.count("holds") == 2 * len(CHECKS)
    assert "BROKEN" not in text
    assert "3, 4, 12" in text


def test_each_violation_is_named_with_its_experiment_and_the_rest_are_counted() -> None:
    lines = list(violation_lines(results(*(f"violation {number}" for number in range(VIOLATIONS_SHOWN + 2)))))
    assert lines[0] == (
        "BROKEN, a Valkey cluster: the dead letters are exactly the poison messages, with error codes "
        "(invariant 11): violation 0"
    )
    assert len(lines) == VIOLATIONS_SHOWN + 1
    assert lines[-1] == "… and 2 more of this check; the report has all"
