"""The examples of docs/events.md are valid under the published schemas, and true."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dev.schemas import FOLDER, INBOUND, OUTBOUND
from els_core.application.messages import PoisonMessage
from els_core.contracts.commands import parse_command
from els_core.contracts.inbound import parse_arrival, parse_registration
from tests.architecture.documents import Page

PAGE = Page(Path("docs/events.md"))
SECTIONS = PAGE.sections("### ")
EXAMPLES: dict[str, dict[str, Any]] = {
    heading.strip("`"): json.loads(text.split("```json\n")[1].split("```")[0])
    for heading, text in SECTIONS.items()
}
MODELS = {model.__name__: model for model in (*INBOUND, *OUTBOUND)}
SCHEMAS = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*bound/*.json")}
FILES = ("register_batch", "provision_content", "steer_batch")


def invocations() -> dict[str, dict[str, Any]]:
    """Return the EventBridge events inside the invocations of `events`, by name."""
    events = [json.loads(Path("events", f"{name}.json").read_text("utf-8")) for name in FILES]
    bodies = [json.loads(record["body"]) for event in events for record in event["Records"]]
    return {body["detail-type"]: body for body in bodies}


def test_every_event_has_its_section() -> None:
    assert set(EXAMPLES) == set(MODELS) == set(SCHEMAS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid_under_its_schema(name: str) -> None:
    validator = Draft202012Validator(SCHEMAS[name], format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(EXAMPLES[name])] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_the_fields_of_its_model_and_no_other(name: str) -> None:
    data = EXAMPLES[name]["data"]
    model = MODELS[name].model_validate_json(json.dumps(data))
    assert model.model_dump(mode="json", exclude_unset=True) == data


@pytest.mark.parametrize("model", INBOUND)
def test_inbound_examples_are_those_of_the_folder_events_and_can_be_read(model: type) -> None:
    body = invocations()[model.__name__]
    assert body["detail"] == EXAMPLES[model.__name__]
    parsed: list[object] = [parse_registration(json.dumps(body), 60), parse_arrival(json.dumps(body))]
    parsed.append(parse_command(json.dumps(body)))
    assert sum(not isinstance(one, PoisonMessage) for one in parsed) == 1


@pytest.mark.parametrize("name", ["BatchEssaysReady", "BatchReadinessTimeout", "BatchCancelled"])
def test_the_digest_of_an_example_is_that_of_its_list(name: str) -> None:
    data = EXAMPLES[name]["data"]
    lines = sorted(f"{slot['essay_id']} {slot['text_storage_id']}\n" for slot in data["ready_essays"])
    assert data["digest"] == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_outbound_event_says_what_a_consumer_must_do(name: str) -> None:
    is_outbound = name in {model.__name__ for model in OUTBOUND}
    assert ("**Consumer**" in SECTIONS[f"`{name}`"]) is is_outbound
