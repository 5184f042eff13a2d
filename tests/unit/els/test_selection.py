"""`--where` speaks the filters of the API, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from els.exits import ExitCode, StopError
from els.selection import FILTERS, FLAGS, read_where
from els_core.contracts.requests import ListQuery

if TYPE_CHECKING:
    from tests.unit.els.conftest import Shell
    from tests.unit.els.stub_api import StubApi


@pytest.mark.parametrize(
    ("where", "filters"),
    [
        ("stuck", {"stuck": "true"}),
        ("stuck and org=o1", {"stuck": "true", "org_id": "o1"}),
        (" parked  and status = open ", {"parked": "true", "status": "open"}),
        ("user=u:1 and course=ENG5", {"user_id": "u:1", "course_code": "ENG5"}),
        ("created_after=2026-01-31T12:00:00+01:00", {"created_after": "2026-01-31T12:00:00+01:00"}),
    ],
)
def test_terms_are_joined_with_and(where: str, filters: dict[str, str]) -> None:
    assert read_where(where) == filters


@pytest.mark.parametrize(
    "where", ["", "and", "stuck or parked", "stuck=no", "org", "colour=red", "stuck, org=o1"]
)
def test_what_is_not_understood_is_refused_and_never_left_out(where: str) -> None:
    with pytest.raises(StopError, match="not understood") as stopped:
        read_where(where)
    assert stopped.value.code is ExitCode.USAGE


def test_a_filter_that_is_named_twice_is_refused() -> None:
    with pytest.raises(StopError, match="twice"):
        read_where("org=o1 and org=o2")


def test_every_filter_of_the_api_can_be_said() -> None:
    paging = {"page_size", "page_token"}
    assert {*FLAGS, *FILTERS.values()} == set(ListQuery.model_fields) - paging


def test_a_list_sends_the_filters(els: Shell, api: StubApi) -> None:
    api.answer("/batches", 200, {"batches": [], "next_page_token": None})
    assert els("list", "--where", "stuck and org=o1").code == ExitCode.DONE
    assert api.asked[0].query == {"stuck": "true", "org_id": "o1", "page_size": "50"}
