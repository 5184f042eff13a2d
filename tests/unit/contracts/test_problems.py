from __future__ import annotations

import pytest

from els_core.contracts.problems import MEANINGS, TYPE, ProblemCode, problem
from els_core.domain.commands import Refusal

# The contract: 409 the state, 412 the version, 422 the arguments.
STATE = {"NOT_REGISTERED", "NOT_TERMINAL", "TOO_LATE", "WRONG_EPOCH"}


def test_every_problem_has_a_status_and_a_title_of_its_own() -> None:
    assert set(MEANINGS) == set(ProblemCode)
    titles = [title for _, title in MEANINGS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_refusal_is_a_problem_with_the_status_of_its_kind(refusal: Refusal) -> None:
    code = ProblemCode(refusal.value)
    expected = 412 if refusal is Refusal.VERSION_CHANGED else 409 if refusal.value in STATE else 422
    assert (code.is_refusal, MEANINGS[code][0]) == (True, expected)


def test_what_is_no_refusal_is_none() -> None:
    assert {code for code in ProblemCode if not code.is_refusal} == set(ProblemCode) - {
        ProblemCode(refusal.value) for refusal in Refusal
    }


def test_a_problem_says_its_stable_type_and_falls_back_to_its_title() -> None:
    found = problem(ProblemCode.UNKNOWN_BATCH)
    assert found.type == f"{TYPE}UNKNOWN_BATCH"
    assert (found.status, found.detail) == (404, "There is no such batch.")
