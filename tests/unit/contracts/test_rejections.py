"""A rejected event names code, field and rule, and never repeats a value of the input."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic_core import core_schema

from dev.programs.tools import ROOT
from els_core.application.messages import PoisonMessage
from els_core.contracts import rejections
from els_core.contracts.inbound import parse_arrival, parse_registration

if TYPE_CHECKING:
    from collections.abc import Callable

PERSONAL = "Anna 19991212-1234"
KNOWN_TYPES = frozenset(get_args(core_schema.ErrorType))


def body_of(name: str) -> dict[str, Any]:
    """Return the EventBridge event of an example."""
    records: list[dict[str, str]] = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))[
        "Records"
    ]
    body: dict[str, Any] = json.loads(records[0]["body"])
    return body


def at(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return a change that puts a value where the path says."""

    def change(body: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        for name in parents:
            body = body[name]
        body[last] = value

    return change


def without(path: str) -> Callable[[dict[str, Any]], None]:
    """Return a change that removes what the path names."""

    def change(body: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        for name in parents:
            body = body[name]
        del body[last]

    return change


META, DATA = "detail/metadata", "detail/data"
ARRIVALS = [
    (
        at(f"{META}/schema_version", value=True),
        "INVALID_FIELD",
        "detail.metadata.schema_version",
        "must be an integer",
    ),
    (
        at(f"{META}/schema_version", 1.0),
        "INVALID_FIELD",
        "detail.metadata.schema_version",
        "must be an integer",
    ),
    (at(f"{META}/schema_version", 2), "INVALID_FIELD", "detail.metadata.schema_version", "must be 1"),
    (
        at(f"{META}/occurred_at", "0001-01-01T00:00:00+14:00"),
        *("INVALID_FIELD", "detail.metadata.occurred_at", "must lie in the years 1 to 9999 in UTC"),
    ),
    (
        at(f"{META}/occurred_at", "9999-12-31T23:59:59-14:00"),
        *("INVALID_FIELD", "detail.metadata.occurred_at", "must lie in the years 1 to 9999 in UTC"),
    ),
    (
        at(f"{META}/occurred_at", "1738324800"),
        *("INVALID_FIELD", "detail.metadata.occurred_at", "must be an ISO 8601 timestamp"),
    ),
    (
        at(f"{META}/occurred_at", "2026-01-31T12:00:00"),
        "INVALID_FIELD",
        "detail.metadata.occurred_at",
        "must have a time zone",
    ),
    (at(f"{META}/event_id", PERSONAL), "INVALID_FIELD", "detail.metadata.event_id", "must be a UUID"),
    (
        at(f"{DATA}/original_file_name", f"{PERSONAL}\0"),
        "INVALID_FIELD",
        "detail.data.original_file_name",
        "must not contain NUL",
    ),
    (
        at(f"{DATA}/original_file_name", PERSONAL * 50),
        "INVALID_FIELD",
        "detail.data.original_file_name",
        "must have at most 255 characters",
    ),
    (
        at(f"{DATA}/file_size_bytes", value=True),
        "INVALID_FIELD",
        "detail.data.file_size_bytes",
        "must be an integer",
    ),
    (
        at(f"{DATA}/file_size_bytes", 2**63),
        "INVALID_FIELD",
        "detail.data.file_size_bytes",
        f"must be at most {2**63 - 1}",
    ),
    (at(f"{DATA}/file_size_bytes", -1), "INVALID_FIELD", "detail.data.file_size_bytes", "must be at least 0"),
    (
        at(f"{DATA}/batch_id", PERSONAL),
        "INVALID_FIELD",
        "detail.data.batch_id",
        "must match ^[A-Za-z0-9_.:\\-]+$",
    ),
    (at(f"{DATA}/batch_id", ""), "INVALID_FIELD", "detail.data.batch_id", "must have at least 1 characters"),
    (at(DATA, {PERSONAL: PERSONAL}), "MISSING_FIELD", "detail.data.batch_id", "is required"),
    (at("detail", PERSONAL), "INVALID_FIELD", "detail", "must be an object"),
    (at("detail-type", PERSONAL), "WRONG_DETAIL_TYPE", "detail-type", "is not a detail-type of this queue"),
    (without("detail-type"), "WRONG_DETAIL_TYPE", "detail-type", "is required"),
    (without(f"{DATA}/text_storage_id"), "MISSING_FIELD", "detail.data.text_storage_id", "is required"),
]


@pytest.mark.fault(25)
@pytest.mark.fault(39)
@pytest.mark.fault(41)
@pytest.mark.parametrize(("change", "code", "field", "reason"), ARRIVALS)
def test_an_arrival_is_rejected_with_code_field_and_rule(
    change: Callable[[dict[str, Any]], None], code: str, field: str, reason: str
) -> None:
    body = deepcopy(body_of("provision_content"))
    change(body)
    assert parse_arrival(json.dumps(body)) == PoisonMessage(code, field, reason)


REGISTRATIONS = [
    (at(f"{DATA}/essay_ids", ["a", "a"]), "detail.data.essay_ids", "must be distinct"),
    (at(f"{DATA}/essay_ids", []), "detail.data.essay_ids", "must have at least 1 items"),
    (
        at(f"{DATA}/essay_ids", [str(n) for n in range(2_001)]),
        "detail.data.essay_ids",
        "must have at most 2000 items",
    ),
    (at(f"{DATA}/essay_ids", ["a", PERSONAL]), "detail.data.essay_ids.1", "must match ^[A-Za-z0-9_.:\\-]+$"),
    (
        at(f"{DATA}/expected_essay_count", 7),
        "detail.data.expected_essay_count",
        "must be the number of essay_ids",
    ),
    (at(f"{DATA}/timeout_seconds", 0), "detail.data.timeout_seconds", "must be at least 1"),
    (at(f"{DATA}/timeout_seconds", 1_209_601), "detail.data.timeout_seconds", "must be at most 1209600"),
]


@pytest.mark.parametrize(("change", "field", "reason"), REGISTRATIONS)
def test_a_registration_is_rejected_with_field_and_rule(
    change: Callable[[dict[str, Any]], None], field: str, reason: str
) -> None:
    body = deepcopy(body_of("register_batch"))
    change(body)
    assert parse_registration(json.dumps(body), 60) == PoisonMessage("INVALID_FIELD", field, reason)


@pytest.mark.parametrize("body", ["", "[", "nul", '{"detail": ' * 300, "9" * 5_000])
def test_a_body_that_is_no_json_is_rejected_as_a_whole(body: str) -> None:
    assert parse_arrival(body) == PoisonMessage("INVALID_JSON", "body", "the body is not valid JSON")


def test_every_rule_is_about_an_error_that_the_parser_can_report() -> None:
    own = {"nul", "lone_surrogates", "datetime_range", "essay_ids", "expected_essay_count", "add_slots"}
    own |= {"missing_argument", "unexpected_argument"}
    rules: dict[str, str] = getattr(rejections, "_RULES")  # noqa: B009 - the table is private
    assert set(rules) - own <= KNOWN_TYPES
