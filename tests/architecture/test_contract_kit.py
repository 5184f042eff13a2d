"""The files for other teams are generated from the models, complete and valid."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dev.deploy.template import Template
from dev.programs.process import ServerError
from dev.schemas import CONTRACT, EXAMPLES, INBOUND, OUTBOUND, SERVED, check_asyncapi, documents, validate
from els_core.contracts.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = {model.__name__ for model in (*INBOUND, *OUTBOUND)}
ASYNCAPI = json.loads((CONTRACT / "asyncapi.json").read_text("utf-8"))
OPENAPI = json.loads((CONTRACT / "openapi.json").read_text("utf-8"))


def test_every_file_of_the_kit_is_as_the_models_generate_it() -> None:
    written = {path: path.read_text("utf-8") for path in (SERVED, *CONTRACT.rglob("*.json"))}
    assert written == documents(), "run make schemas"


def references(document: object) -> Iterator[str]:
    match document:
        case dict():
            yield from [value for key, value in document.items() if key == "$ref" and isinstance(value, str)]
            for value in document.values():
                yield from references(value)
        case list():
            for value in document:
                yield from references(value)


def resolve(document: Any, reference: str) -> object:
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/")]
    return found


@pytest.mark.parametrize("document", [ASYNCAPI, OPENAPI], ids=["asyncapi", "openapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        is_inside = reference.startswith("#/")
        assert resolve(document, reference) if is_inside else (CONTRACT / reference).exists()


def test_every_event_is_a_message_of_its_channel_with_an_example() -> None:
    channels = {name: set(channel["messages"]) for name, channel in ASYNCAPI["channels"].items()}
    assert channels == {
        "inbound": {model.__name__ for model in INBOUND},
        "outbound": {model.__name__ for model in OUTBOUND},
    }
    assert set(ASYNCAPI["components"]["messages"]) == NAMES == {path.stem for path in EXAMPLES.iterdir()}
    for message in ASYNCAPI["components"]["messages"].values():
        assert [set(example["payload"]) for example in message["examples"]] == [{"metadata", "data"}]


def test_the_api_has_the_routes_of_the_template_and_the_answer_of_the_code() -> None:
    routes = {
        resource["Properties"]["RouteKey"]
        for resource in Template.read().document["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }
    assert {f"{verb.upper()} {path}" for path, verbs in OPENAPI["paths"].items() for verb in verbs} == routes
    assert routes == {route.key for route in ROUTES}
    for model in (route.answer for route in ROUTES if route.answer):
        assert set(OPENAPI["components"]["schemas"][model.__name__]["properties"]) == set(model.model_fields)


def test_a_file_that_differs_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dev.schemas.documents", dict)
    with pytest.raises(ServerError, match=r"docs/contract/asyncapi\.json.*run make schemas"):
        validate()


def test_what_is_no_asyncapi_is_refused_with_its_place() -> None:
    check_asyncapi(ASYNCAPI)
    wrong = {**ASYNCAPI, "operations": {"send": {"action": "tell"}}}
    with pytest.raises(ServerError, match=r"asyncapi\.json, \$\.operations\.send"):
        check_asyncapi(wrong)


def run(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "docs/contract/validate.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_validator_takes_every_example(name: str) -> None:
    assert run(name, str(EXAMPLES / f"{name}.json")) == (0, "valid\n")


def test_the_validator_names_the_field_that_is_wrong_and_never_its_value(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    event = json.loads((EXAMPLES / "BatchEssaysRegistered.json").read_text("utf-8"))
    event["data"]["batch_id"] = "not an id"
    path: Path = tmp_path_factory.mktemp("events") / "event.json"
    path.write_text(json.dumps(event), "utf-8")
    code, out = run("BatchEssaysRegistered", str(path))
    assert (code, re.findall(r"^(\S+): ", out, re.MULTILINE)) == (1, ["$.data.batch_id"])
    assert "not an id" not in out
    assert run("Unknown", str(path))[0] == 2
    assert run()[0] == 2
