"""What the service accepts from the bus, and why it rejects everything else: one row per rule."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from els_core.application.messages import PoisonMessage
from els_core.contracts.inbound import parse_arrival, parse_registration
from tests.factories import content_event, failure_event, registration_event

if TYPE_CHECKING:
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Registration

DEFAULT_TIMEOUT = 86_400


def parse(event: dict[str, Any] | str) -> Registration | Arrival | PoisonMessage:
    """Parse an event, or a body, with the parser of its detail-type."""
    body = event if isinstance(event, str) else json.dumps(event)
    if "BatchEssaysRegistered" in body:
        return parse_registration(body, DEFAULT_TIMEOUT)
    return parse_arrival(body)


def change(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return the event with another value at a path such as "detail.metadata.event_id"."""
    changed = deepcopy(event)
    *parents, name = path.split(".")
    target = changed
    for parent in parents:
        target = target[parent]
    target[name] = value
    return changed


def remove(event: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the event without the field at a path."""
    changed = change(event, path, None)
    *parents, name = path.split(".")
    target = changed
    for parent in parents:
        target = target[parent]
    del target[name]
    return changed


def reject(event: dict[str, Any] | str, error_code: str, field: str) -> None:
    """Assert that the event is rejected for this field, with a reason that repeats no value."""
    rejected = parse(event)
    assert isinstance(rejected, PoisonMessage), rejected
    assert (rejected.error_code, rejected.field) == (error_code, field)
    assert rejected.reason
    for private in ("essay.txt", "teacher", "the file is empty"):
        assert private not in rejected.reason


EVENTS = {"registration": registration_event(), "content": content_event(), "failure": failure_event()}
ENVELOPE = ("detail.metadata.event_id", "detail.metadata.correlation_id", "detail.metadata.occurred_at")
SOURCE = ("detail.metadata.source_service", "detail.metadata.schema_version")
REQUIRED = [
    *(
        (kind, path)
        for kind in EVENTS
        for path in ("detail", "detail.metadata", "detail.data", *ENVELOPE, *SOURCE)
    ),
    *((kind, f"detail.data.{name}") for kind, event in EVENTS.items() for name in event["detail"]["data"]),
]


@pytest.mark.fault(15)
@pytest.mark.parametrize(("kind", "path"), REQUIRED)
def test_a_missing_field_is_rejected_by_its_name(kind: str, path: str) -> None:
    reject(remove(EVENTS[kind], path), "MISSING_FIELD", path)


BODIES = [
    # body                                                                error code
    ("{",                                                                 "INVALID_JSON"),
    ("",                                                                  "INVALID_JSON"),
    (json.dumps(content_event()).replace("essay.txt", "\\ud800"),         "INVALID_JSON"),
    (json.dumps(content_event()).replace("essay.txt", "\ud800"),          "INVALID_FIELD"),  # no UTF-8
    ("[]",                                                                "INVALID_FIELD"),
    ("null",                                                              "INVALID_FIELD"),
]  # fmt: skip


@pytest.mark.fault(15)
@pytest.mark.parametrize(("body", "error_code"), BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_json_object_in_utf_8_is_rejected(body: str, error_code: str) -> None:
    for rejected in (parse_arrival(body), parse_registration(body, DEFAULT_TIMEOUT)):
        assert isinstance(rejected, PoisonMessage)
        assert (rejected.error_code, rejected.field) == (error_code, "body")


@pytest.mark.fault(15)
@pytest.mark.parametrize("kind", EVENTS)
def test_the_event_of_another_queue_is_rejected_by_its_detail_type(kind: str) -> None:
    body = json.dumps(EVENTS[kind])
    if kind == "registration":
        rejected: object = parse_arrival(body)
    else:
        rejected = parse_registration(body, DEFAULT_TIMEOUT)
    assert isinstance(rejected, PoisonMessage)
    assert (rejected.error_code, rejected.field) == ("WRONG_DETAIL_TYPE", "detail-type")


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_without_a_detail_type_is_rejected_by_that(kind: str) -> None:
    event = {name: value for name, value in EVENTS[kind].items() if name != "detail-type"}
    body = json.dumps(event)
    for rejected in (parse_arrival(body), parse_registration(body, DEFAULT_TIMEOUT)):
        assert isinstance(rejected, PoisonMessage)
        assert (rejected.error_code, rejected.field) == ("WRONG_DETAIL_TYPE", "detail-type")


ENVELOPE_RULES = [
    # path                              value
    ("detail.metadata.event_id",        "no uuid"),
    ("detail.metadata.event_id",        1),
    ("detail.metadata.correlation_id",  "no uuid"),
    ("detail.metadata.occurred_at",     "yesterday"),
    ("detail.metadata.occurred_at",     "2026-01-31T12:00:00"),  # no offset
    ("detail.metadata.occurred_at",     True),
    ("detail.metadata.occurred_at",     1_738_324_800),
    ("detail.metadata.occurred_at",     "0001-01-01T00:00:00+14:00"),  # year 0 in UTC
    ("detail.metadata.occurred_at",     "9999-12-31T23:59:59-14:00"),  # year 10000 in UTC
    ("detail.metadata.source_service",  "x" * 501),
    ("detail.metadata.source_service",  1),
    ("detail.metadata.schema_version",  2),
    ("detail.metadata.schema_version",  "1"),
    ("detail.metadata.schema_version",  True),
    ("detail.metadata.schema_version",  1.0),
    ("detail.metadata.traceparent",     "x" * 501),
    ("detail.metadata",                 []),
    ("detail.data",                     "text"),
    ("detail",                          None),
]  # fmt: skip


@pytest.mark.fault(15)
@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize(("path", "value"), ENVELOPE_RULES)
def test_a_wrong_envelope_is_rejected_by_its_field(kind: str, path: str, value: object) -> None:
    reject(change(EVENTS[kind], path, value), "INVALID_FIELD", path)


IDS = [
    *(("registration", name) for name in ("batch_id", "course_code", "user_id", "org_id", "class_id")),
    *(("content", name) for name in ("batch_id", "text_storage_id", "raw_file_storage_id", "file_upload_id")),
    *(("failure", name) for name in ("batch_id", "raw_file_storage_id", "file_upload_id")),
]
WRONG_IDS = ["", "x" * 129, "a b", "a/b", "ä", "a\n", "a\x00", 1, True, ["a"]]


@pytest.mark.fault(15)
@pytest.mark.parametrize("value", WRONG_IDS, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(("kind", "name"), IDS)
def test_a_wrong_id_is_rejected_by_its_field(kind: str, name: str, value: object) -> None:
    reject(change(EVENTS[kind], f"detail.data.{name}", value), "INVALID_FIELD", f"detail.data.{name}")


@pytest.mark.parametrize("value", ["x", "x" * 128, "ABC-xyz_0.9:"], ids=lambda value: value[:12])
@pytest.mark.parametrize(("kind", "name"), IDS)
def test_an_id_has_1_to_128_letters_digits_or_marks(kind: str, name: str, value: str) -> None:
    assert not isinstance(parse(change(EVENTS[kind], f"detail.data.{name}", value)), PoisonMessage)


WRONG_DATA = [
    # event          field                       value
    ("content",      "original_file_name",       "x" * 256),
    ("content",      "original_file_name",       "a\x00b"),
    ("content",      "original_file_name",       None),
    ("content",      "file_size_bytes",          -1),
    ("content",      "file_size_bytes",          2**63),
    ("content",      "file_size_bytes",          "400"),
    ("content",      "file_size_bytes",          400.5),
    ("content",      "file_size_bytes",          True),
    ("content",      "content_md5_hash",         "0" * 31),
    ("content",      "content_md5_hash",         "g" * 32),
    ("failure",      "original_file_name",       "x" * 256),
    ("failure",      "validation_error_code",    "OTHER"),
    ("failure",      "validation_error_code",    "empty_content"),
    ("failure",      "validation_error_message", "x" * 501),
    ("failure",      "validation_error_message", "a\x00b"),
    ("failure",      "file_size_bytes",          2**63),
    ("registration", "expected_essay_count",     1),
    ("registration", "expected_essay_count",     3),
    ("registration", "expected_essay_count",     "2"),
    ("registration", "essay_ids",                []),
    ("registration", "essay_ids",                ["same", "same"]),
    ("registration", "essay_ids",                [f"essay-{number}" for number in range(2_001)]),
    ("registration", "essay_ids",                "essay-1"),
    ("registration", "essay_instructions",       "x" * 10_001),
    ("registration", "essay_instructions",       "a\x00b"),
    ("registration", "student_prompt_ref",       "x" * 501),
    ("registration", "timeout_seconds",          0),
    ("registration", "timeout_seconds",          1_209_601),
    ("registration", "timeout_seconds",          60.5),
]  # fmt: skip


@pytest.mark.fault(15)
@pytest.mark.parametrize(("kind", "name", "value"), WRONG_DATA, ids=lambda value: str(value)[:24])
def test_a_wrong_value_is_rejected_by_its_field(kind: str, name: str, value: object) -> None:
    reject(change(EVENTS[kind], f"detail.data.{name}", value), "INVALID_FIELD", f"detail.data.{name}")
