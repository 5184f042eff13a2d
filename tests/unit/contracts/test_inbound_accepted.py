"""What an accepted event becomes: every field, every default and every limit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from els_core.application.messages import PoisonMessage
from els_core.contracts.inbound import ValidationErrorCode, parse_arrival, parse_registration
from els_core.domain.arrivals import Arrival, Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails
from tests.factories import CORRELATION, EVENT, content_event, failure_event, registration_event

DEFAULT_TIMEOUT = 86_400
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
MD5 = "0123456789abcdefABCDEF0123456789"


def accepted_registration(event: dict[str, Any]) -> Registration:
    registration = parse_registration(json.dumps(event), DEFAULT_TIMEOUT)
    assert not isinstance(registration, PoisonMessage), registration
    return registration


def accepted_arrival(event: dict[str, Any]) -> Arrival:
    arrival = parse_arrival(json.dumps(event))
    assert not isinstance(arrival, PoisonMessage), arrival
    return arrival


def test_a_content_keeps_every_field() -> None:
    event = content_event(content_md5_hash=MD5, file_upload_id="upload")
    event["detail"]["metadata"]["traceparent"] = TRACEPARENT
    assert accepted_arrival(event) == Content(
        "b", "text", "raw", "essay.txt", 400, CORRELATION, MD5, "upload", TRACEPARENT
    )


def test_the_optional_fields_of_a_content_may_be_absent_or_null() -> None:
    plain = Content("b", "text", "raw", "essay.txt", 400, CORRELATION)
    assert accepted_arrival(content_event()) == plain
    assert accepted_arrival(content_event(content_md5_hash=None, file_upload_id=None)) == plain


def test_a_failure_keeps_every_field() -> None:
    event = failure_event(file_upload_id="upload")
    event["detail"]["metadata"]["traceparent"] = TRACEPARENT
    assert accepted_arrival(event) == Failure(
        "b",
        EVENT,
        "STORAGE_FAILED",
        "essay.txt",
        0,
        "EMPTY_CONTENT",
        "the file is empty",
        CORRELATION,
        "upload",
        TRACEPARENT,
    )


@pytest.mark.parametrize("code", ValidationErrorCode)
def test_every_error_code_of_the_contract_is_accepted(code: str) -> None:
    failure = accepted_arrival(failure_event(validation_error_code=code))
    assert isinstance(failure, Failure)
    assert failure.error_code == code


def test_a_registration_keeps_every_field_and_the_order_of_its_slots() -> None:
    event = registration_event(
        essay_ids=["essay-2", "essay-1"],
        org_id="org",
        class_id="class",
        essay_instructions="Write about a place.",
        student_prompt_ref="prompt",
        timeout_seconds=60,
    )
    event["detail"]["metadata"]["traceparent"] = TRACEPARENT
    registration = accepted_registration(event)
    assert (registration.batch_id, registration.essay_ids) == ("b", ("essay-2", "essay-1"))
    assert registration.traceparent == TRACEPARENT
    assert registration.details == RegistrationDetails(
        "ENG5", "teacher", CORRELATION, 60, "org", "class", "Write about a place.", "prompt"
    )


def test_a_registration_without_a_timeout_gets_the_default() -> None:
    expected = RegistrationDetails("ENG5", "teacher", CORRELATION, DEFAULT_TIMEOUT)
    assert accepted_registration(registration_event()).details == expected
    assert accepted_registration(registration_event(timeout_seconds=None)).details == expected


LIMITS = [
    content_event(original_file_name=""),
    content_event(original_file_name="\U0001f4dd" * 255),
    content_event(original_file_name="\x01"),
    content_event(file_size_bytes=0),
    content_event(file_size_bytes=2**63 - 1),
    failure_event(validation_error_message=""),
    failure_event(validation_error_message="x" * 500),
]


@pytest.mark.fault(12)
@pytest.mark.parametrize("event", LIMITS, ids=range(len(LIMITS)))
def test_an_arrival_at_a_limit_is_accepted_unchanged(event: dict[str, Any]) -> None:
    arrival = accepted_arrival(event)
    data = event["detail"]["data"]
    assert arrival.original_file_name == data["original_file_name"]
    assert arrival.file_size_bytes == data["file_size_bytes"]


REGISTRATION_LIMITS = [
    {"essay_ids": ["only"], "expected_essay_count": 1},
    {"essay_ids": [f"essay-{number}" for number in range(2_000)], "expected_essay_count": 2_000},
    {"timeout_seconds": 1},
    {"timeout_seconds": 1_209_600},
    {"essay_instructions": "x" * 10_000},
    {"student_prompt_ref": "x" * 500},
]


@pytest.mark.fault(12)
@pytest.mark.parametrize("data", REGISTRATION_LIMITS, ids=range(len(REGISTRATION_LIMITS)))
def test_a_registration_at_a_limit_is_accepted(data: dict[str, Any]) -> None:
    assert accepted_registration(registration_event(**data)).batch_id == "b"


@pytest.mark.parametrize("event", [content_event(), failure_event()], ids=["content", "failure"])
def test_unknown_fields_of_an_arrival_are_ignored(event: dict[str, Any]) -> None:
    expected = accepted_arrival(event)
    for target in (event, event["detail"], event["detail"]["metadata"], event["detail"]["data"]):
        target["unknown"] = {"to": "us"}
    assert accepted_arrival(event) == expected


def test_the_fields_that_eventbridge_adds_are_ignored() -> None:
    event = content_event() | {"version": "0", "id": EVENT, "source": "upstream", "resources": []}
    assert accepted_arrival(event) == accepted_arrival(content_event())


FINGERPRINT = accepted_registration(registration_event()).fingerprint
SAME_DATA: dict[str, dict[str, object]] = {
    "the order of the slots": {"essay_ids": ["essay-0001", "essay-0000"]},
    "an explicit null": {"org_id": None, "timeout_seconds": None},
    "an unknown field": {"unknown": 1},
}
OTHER_DATA: dict[str, dict[str, object]] = {
    "another slot": {"essay_ids": ["essay-0000", "essay-0002"]},
    "another course": {"course_code": "SV1"},
    "another user": {"user_id": "other"},
    "an organisation": {"org_id": "org"},
    "a class": {"class_id": "class"},
    "instructions": {"essay_instructions": "Write."},
    "a prompt": {"student_prompt_ref": "prompt"},
    "the default timeout, but sent": {"timeout_seconds": DEFAULT_TIMEOUT},
}


@pytest.mark.fault(6)
def test_the_fingerprint_is_the_same_in_every_release() -> None:
    """Else a registration that is delivered again after a deployment would be rejected."""
    assert FINGERPRINT == "97388f22c80f6d79110e0979df3d1483d7ecfde80f3fbc2fb7beb26384884fa6"


@pytest.mark.fault(6)
@pytest.mark.parametrize("what", SAME_DATA)
def test_the_same_data_has_the_same_fingerprint(what: str) -> None:
    assert accepted_registration(registration_event(**SAME_DATA[what])).fingerprint == FINGERPRINT


@pytest.mark.fault(6)
@pytest.mark.parametrize("what", OTHER_DATA)
def test_other_data_has_another_fingerprint(what: str) -> None:
    assert accepted_registration(registration_event(**OTHER_DATA[what])).fingerprint != FINGERPRINT


@pytest.mark.fault(6)
def test_the_envelope_is_no_part_of_the_fingerprint() -> None:
    event = registration_event()
    event["detail"]["metadata"] |= {"event_id": CORRELATION, "occurred_at": "2027-01-01T00:00:00+02:00"}
    assert accepted_registration(event).fingerprint == FINGERPRINT
