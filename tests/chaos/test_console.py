"""What a run prints can be read in 80 columns, and names every breach."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from dev.chaos.console import BREACHES_SHOWN, breach_lines, verdict
from dev.chaos.reconciliation import CHECKS, CheckResult


def results(*breaches: str) -> dict[str, list[CheckResult]]:
    first, second = "one Valkey with a replica", "a Valkey cluster"
    correct = [CheckResult(promises, claim, []) for promises, claim, _ in CHECKS]
    return {first: correct, second: [*correct[:-1], CheckResult(*CHECKS[-1][:2], list(breaches))]}


def printed(breaches: dict[str, list[CheckResult]]) -> str:
    output = StringIO()
    Console(file=output, width=200).print(verdict(breaches))
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


def test_each_breach_is_named_with_its_experiment_and_the_rest_are_counted() -> None:
    lines = list(breach_lines(results(*(f"breach {number}" for number in range(BREACHES_SHOWN + 2)))))
    assert lines[0] == (
        "BROKEN, a Valkey cluster: the dead letters are exactly the poison messages, with error codes "
        "(promise 11): breach 0"
    )
    assert len(lines) == BREACHES_SHOWN + 1
    assert lines[-1] == "… and 2 more of this check; the report has all"
