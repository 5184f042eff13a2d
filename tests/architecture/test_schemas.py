"""The JSON Schemas that producers and consumers read are those of the models."""

from __future__ import annotations

import json
from pathlib import Path

from dev.schemas import FOLDER, INBOUND, OUTBOUND, schemas
from els_core.domain.events import TERMINAL_EVENT_TYPES

COMMAND = "run make schemas"


def test_every_schema_file_matches_its_model() -> None:
    written = {path: path.read_text("utf-8") for path in FOLDER.rglob("*.json")}
    assert written == schemas(), COMMAND


def test_every_event_of_the_wire_format_has_a_schema() -> None:
    assert len(INBOUND) == 4
    assert {model.__name__ for model in OUTBOUND} == {
        *TERMINAL_EVENT_TYPES.values(),
        "EssaySlotsAssigned",
        "EssaySlotsReleased",
        "BatchReopened",
        "BatchCommandApplied",
        "BatchCommandRefused",
        "ExcessContentProvisioned",
        "BatchRegistrationRejected",
        "ParkedContentOverdue",
    }


def test_every_property_of_an_outbound_event_is_required() -> None:
    for model in OUTBOUND:
        schema = json.loads(Path(FOLDER, "outbound", f"{model.__name__}.json").read_text("utf-8"))
        data = schema["$defs"][model.__name__]
        assert set(data["required"]) == set(data["properties"])
