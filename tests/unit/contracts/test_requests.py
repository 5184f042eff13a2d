from __future__ import annotations

import pytest
from pydantic import ValidationError

from els_core.contracts.requests import CommandBody, ListQuery, RedriveBody


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "0"},
        {"page_size": "501"},
        {"page_size": "1_0"},
        {"page_size": "\u0661"},
        {"page_size": "9" * 5_000},
        {"stuck": "yes"},
        {"parked": "false"},
        {"status": "done"},
        {"created_after": "1700000000"},
        {"created_after": "2026-01-31T12:00:00"},
        {"user_id": ""},
        {"course_code": "\x00"},
        {"page_token": "*"},
        {"colour": "open"},
    ],
)
def test_a_wrong_or_unknown_parameter_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ListQuery.model_validate(query)


def test_parameters_are_read_from_text() -> None:
    query = ListQuery.model_validate({"status": "open", "stuck": "true", "page_size": "7"})
    assert (query.status, query.stuck, query.page_size) == ("open", "true", 7)
    assert ListQuery.model_validate({}).page_size == 100


@pytest.mark.parametrize("typo", [{"dryrun": True}, {"dry_run": "true"}, {"dry_run": 1}, {"actor": "me"}])
def test_a_mistyped_dry_run_never_becomes_a_command_in_earnest(typo: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CommandBody.model_validate({"command": "cancel", **typo})


def test_a_redrive_says_which_queue() -> None:
    with pytest.raises(ValidationError):
        RedriveBody.model_validate({})
    assert RedriveBody.model_validate({"queue": "provision_content"}).max_count == 1_000
