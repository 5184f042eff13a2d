"""The JSON Schemas of the wire format, generated from its models; `make schemas` writes docs/schemas."""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import TYPE_CHECKING, get_args

from pydantic import create_model

from dev.programs.tools import ROOT
from els_core.contracts import commands, inbound, outbound
from els_core.contracts.fields import Metadata
from els_core.contracts.http_api import BatchStatusAnswer

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

    from els_core.contracts.fields import WireModel

FOLDER = ROOT / "docs" / "schemas"
INBOUND: tuple[type[WireModel], ...] = (
    inbound.BatchEssaysRegistered,
    inbound.EssayContentProvisioned,
    inbound.EssayValidationFailed,
    commands.BatchCommand,
)
OUTBOUND: tuple[type[WireModel], ...] = get_args(outbound.Data.__value__)
ANSWERS: tuple[type[WireModel], ...] = (BatchStatusAnswer,)
# An inbound event may omit fields that have a default; an outbound one never does.
EVENTS: tuple[tuple[str, tuple[type[WireModel], ...], JsonSchemaMode], ...] = (
    ("inbound", INBOUND, "validation"),
    ("outbound", OUTBOUND, "serialization"),
)


def schemas() -> dict[Path, str]:
    """Return the schema of the `detail` of each event, and of each HTTP answer, by the path of its file."""
    events = {
        FOLDER / direction / f"{model.__name__}.json": _schema(_detail(model), mode, model.__doc__)
        for direction, models, mode in EVENTS
        for model in models
    }
    answers = {
        FOLDER / "http_api" / f"{model.__name__}.json": _schema(model, "serialization", model.__doc__)
        for model in ANSWERS
    }
    return events | answers


def write() -> None:
    """Write the schemas, and delete those of models that no longer exist."""
    wanted = schemas()
    for path in FOLDER.rglob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"{len(wanted)} schemas in {FOLDER.relative_to(ROOT)}")


def _detail(model: type[WireModel]) -> type[BaseModel]:
    return create_model(f"{model.__name__}Detail", metadata=(Metadata, ...), data=(model, ...))


def _schema(model: type[BaseModel], mode: JsonSchemaMode, description: str | None) -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode=mode),
        "description": cleandoc(description or ""),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
