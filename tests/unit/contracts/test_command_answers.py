from __future__ import annotations

from els_core.application.steer_batch import Answered
from els_core.contracts.command_answers import command_result
from els_core.domain.batches import ReleasedSlot, Status
from els_core.domain.commands import CommandAnswer, CommandName, Refusal


def test_a_result_has_everything_that_the_command_did() -> None:
    answer = CommandAnswer(
        *("k", CommandName.REOPEN, None, Status.OPEN, 2, 7),
        withdrawn=("e1",),
        released=(ReleasedSlot("e2", "c"),),
        taken_in=3,
    )
    assert command_result(Answered(answer, is_repeated=True), is_dry_run=False).model_dump(mode="json") == {
        "command_id": "k",
        "command": "reopen",
        "refusal": None,
        "status": "open",
        "epoch": 2,
        "version": 7,
        "withdrawn_essay_ids": ["e1"],
        "released": [{"essay_id": "e2", "text_storage_id": "c"}],
        "taken_in_count": 3,
        "is_repeated": True,
        "is_dry_run": False,
    }


def test_a_refusal_is_named() -> None:
    answer = CommandAnswer("k", CommandName.CLOSE, Refusal.EMPTY, Status.OPEN, 1, 1)
    assert command_result(Answered(answer), is_dry_run=True).refusal is Refusal.EMPTY
