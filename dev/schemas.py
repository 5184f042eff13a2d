"""What other teams read of the wire format, generated from its models; `make schemas` writes it.

JSON Schemas in docs/schemas; AsyncAPI of the events, OpenAPI of the HTTP API and examples in docs/contract.
"""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, get_args

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match
from pydantic import create_model

from dev.openapi import openapi
from dev.programs.process import ServerError, run_to_end
from dev.programs.tools import OPENAPI_VALIDATOR, ROOT, environment, tool
from els_core.contracts import commands, inbound, outbound
from els_core.contracts.fields import Metadata

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

    from els_core.contracts.fields import WireModel

FOLDER = ROOT / "docs" / "schemas"
CONTRACT = ROOT / "docs" / "contract"
EXAMPLES = CONTRACT / "examples"
ASYNCAPI_SCHEMA = ROOT / "dev" / "asyncapi_schema.json"
SERVED = ROOT / "layers" / "els_core" / "els_core" / "contracts" / "openapi.json"
VALIDATION_SECONDS = 120  # the first time fetches the validator
_EXAMPLE = re.compile(r"^### `(\w+)`$.*?^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INBOUND: tuple[type[WireModel], ...] = (
    inbound.BatchEssaysRegistered,
    inbound.EssayContentProvisioned,
    inbound.EssayValidationFailed,
    commands.BatchCommand,
)
OUTBOUND: tuple[type[WireModel], ...] = get_args(outbound.Data.__value__)
# An inbound event may omit fields that have a default; an outbound one never does.
EVENTS: tuple[tuple[str, tuple[type[WireModel], ...], JsonSchemaMode], ...] = (
    ("inbound", INBOUND, "validation"),
    ("outbound", OUTBOUND, "serialization"),
)


def schemas() -> dict[Path, str]:
    """Return the schema of the `detail` of each event by the path of its file."""
    return {
        FOLDER / direction / f"{model.__name__}.json": _schema(_detail(model), mode, model.__doc__)
        for direction, models, mode in EVENTS
        for model in models
    }


def documents() -> dict[Path, str]:
    """Return AsyncAPI, OpenAPI and the example of each event by the path of its file."""
    examples = _examples()
    found = {EXAMPLES / f"{name}.json": _json(example) for name, example in examples.items()}
    found[CONTRACT / "asyncapi.json"] = _json(asyncapi(examples))
    # The function serves it, so it is part of the layer too.
    found[CONTRACT / "openapi.json"] = found[SERVED] = _json(openapi())
    return found


def asyncapi(examples: dict[str, Any]) -> dict[str, Any]:
    """Return the AsyncAPI document: two channels, the buses, and every event as a message."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Essay Lifecycle Service",
            "version": "1.0.0",
            "description": "The detail of each EventBridge event; the name of a message is its detail-type.",
        },
        "defaultContentType": "application/json",
        "channels": {
            direction: {
                "address": f"{direction} event bus",
                "messages": {
                    model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in models
                },
            }
            for direction, models, _ in EVENTS
        },
        "operations": {
            "consume": {"action": "receive", "channel": {"$ref": "#/channels/inbound"}},
            "announce": {"action": "send", "channel": {"$ref": "#/channels/outbound"}},
        },
        "components": {
            "messages": {
                model.__name__: {
                    "name": model.__name__,
                    "summary": model.__doc__,
                    "payload": {"$ref": f"../schemas/{direction}/{model.__name__}.json"},
                    "examples": [{"payload": examples[model.__name__]}],
                }
                for direction, models, _ in EVENTS
                for model in models
            }
        },
    }


def write() -> None:
    """Write everything, and delete the files of models that no longer exist."""
    wanted = schemas() | documents()
    for path in _written() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"{len(wanted)} files in {FOLDER.relative_to(ROOT)} and {CONTRACT.relative_to(ROOT)}")


def validate() -> None:
    """Raise `ServerError` when a file is not that of the models, or AsyncAPI or OpenAPI is not valid."""
    wanted = schemas() | documents()
    different = [path for path in _written() | wanted.keys() if _text_of(path) != wanted.get(path)]
    if different:
        names = ", ".join(sorted(str(path.relative_to(ROOT)) for path in different))
        raise ServerError(f"{names} do not match the models: run make schemas")
    check_asyncapi(json.loads((CONTRACT / "asyncapi.json").read_text("utf-8")))
    command = [*tool("openapi-spec-validator", OPENAPI_VALIDATOR), str(CONTRACT / "openapi.json")]
    run_to_end(command, VALIDATION_SECONDS, cwd=ROOT, environment=environment())


def check_asyncapi(document: object) -> None:
    """Raise `ServerError` when a document is not one of AsyncAPI 3.0.0."""
    schema = json.loads(ASYNCAPI_SCHEMA.read_text("utf-8"))
    if error := best_match(Draft7Validator(schema).iter_errors(document)):
        raise ServerError(f"asyncapi.json, {error.json_path}: {error.message}")


def _written() -> set[Path]:
    return {SERVED, *(path for folder in (FOLDER, CONTRACT) for path in folder.rglob("*.json"))}


def _text_of(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _examples() -> dict[str, Any]:
    """Return the examples of docs/events.md by the name of their event."""
    found = _EXAMPLE.findall((ROOT / "docs" / "events.md").read_text("utf-8"))
    return {name: json.loads(text) for name, text in found}


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _detail(model: type[WireModel]) -> type[BaseModel]:
    return create_model(f"{model.__name__}Detail", metadata=(Metadata, ...), data=(model, ...))


def _schema(model: type[BaseModel], mode: JsonSchemaMode, description: str | None) -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode=mode),
        "description": cleandoc(description or ""),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
