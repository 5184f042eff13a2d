"""The JSON Schemas of the wire format, generated from its models; `make schemas` writes docs/schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

from pydantic import create_model

from dev.programs.tools import ROOT
from els_core.contracts import commands, inbound, outbound
from els_core.contracts.fields import Metadata

if TYPE_CHECKING:
    from pathlib import Path

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
# An inbound event may omit fields that have a default; an outbound one never does.
EVENTS: tuple[tuple[str, tuple[type[WireModel], ...], JsonSchemaMode], ...] = (
    ("inbound", INBOUND, "validation"),
    ("outbound", OUTBOUND, "serialization"),
)


def schemas() -> dict[Path, str]:
    """Return the schema of the `detail` of each event by the path of its file."""
    return {
        FOLDER / direction / f"{model.__name__}.json": _schema(model, mode)
        for direction, models, mode in EVENTS
        for model in models
    }


def write() -> None:
    """Write the schemas, and delete those of events that no longer exist."""
    wanted = schemas()
    for path in FOLDER.rglob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"{len(wanted)} schemas in {FOLDER.relative_to(ROOT)}")


def _schema(model: type[WireModel], mode: JsonSchemaMode) -> str:
    detail = create_model(f"{model.__name__}Detail", metadata=(Metadata, ...), data=(model, ...))
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **detail.model_json_schema(mode=mode),
        "description": model.__doc__,
    }
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
