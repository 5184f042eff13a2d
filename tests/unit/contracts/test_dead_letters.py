"""What is shown of dead letters: anything at all may lie in their queues."""

from __future__ import annotations

import json

import pytest

from els_core.application.ports.dead_letters import QueueView, StoredDeadLetter
from els_core.contracts import dead_letters
from els_core.contracts.dead_letters import dead_letter_list
from tests.factories import NOW

EVENT = {
    "detail-type": "EssayContentProvisioned",
    "detail": {"metadata": {"event_id": "e"}, "data": {"batch_id": "b", "original_file_name": "anna.txt"}},
}


def view(*bodies: str) -> QueueView:
    attributes = {"error_code": "INVALID_FIELD", "field": "detail", "reason": "is required"}
    letters = [
        StoredDeadLetter("source", f"m{number}", body, 3, NOW, attributes)
        for number, body in enumerate(bodies)
    ]
    return QueueView("source", len(bodies), letters)


def test_a_letter_says_what_it_was_and_why_it_is_there_without_its_body() -> None:
    [shown] = dead_letter_list([view(json.dumps(EVENT))], with_bodies=False).dead_letters
    assert (shown.detail_type, shown.batch_id, shown.event_id) == ("EssayContentProvisioned", "b", "e")
    assert (shown.error_code, shown.field, shown.reason) == ("INVALID_FIELD", "detail", "is required")
    assert (shown.receive_count, shown.body) == (3, None)
    assert "anna" not in shown.model_dump_json()


@pytest.mark.parametrize(
    "body", ["", "[", "7", "[1]", '{"detail": 7}', '{"detail": {"data": {"batch_id": "a b"}}}', "[" * 99_999]
)
def test_what_is_no_event_is_shown_all_the_same(body: str) -> None:
    [shown] = dead_letter_list([view(body)], with_bodies=True).dead_letters
    assert (shown.detail_type, shown.batch_id, shown.event_id) == (None, None, None)
    assert shown.body == body


@pytest.mark.fault(32)
def test_bodies_that_would_make_the_answer_too_large_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MAX_BYTES", 25)
    shown = dead_letter_list([view("x" * 20, "y" * 20, "z")], with_bodies=True).dead_letters
    assert [one.body for one in shown] == ["x" * 20, None, "z"]
