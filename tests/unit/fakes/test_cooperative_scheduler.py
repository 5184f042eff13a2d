"""Tasks take turns as they are told, die and fail where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.cooperative_scheduler import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.cooperative_scheduler import Task


def test_a_call_that_is_struck_fails_at_once_even_while_it_waits() -> None:
    turns = Turns()
    heard: list[str] = []

    def work() -> None:
        with pytest.raises(LookupError):
            turns.wait("for ever", lambda: False)
        heard.append(turns.running)

    task = turns.spawn("patient", work)
    turns.spawn("other", lambda: turns.pause("anywhere"))

    def choose(ready: Sequence[Task]) -> Task:
        if task in turns.tasks and task.at == "for ever":
            task.strike(LookupError())
            return task
        return ready[0]

    turns.run(choose)
    assert heard == ["patient"]
    assert turns.running == ""
