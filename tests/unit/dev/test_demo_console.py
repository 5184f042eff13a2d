"""What the demo prints fits 80 columns, on a terminal and in a pipe."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console as Terminal

from dev.demo.checks import CheckResult
from dev.demo.console import WIDTH, Console
from dev.demo.evidence import BatchState
from dev.demo.files import File
from dev.demo.workload import Workload, make_workload
from dev.deploy.stack import ReceivedEvent
from dev.invariants.catalogue import INVARIANTS
from dev.invariants.derivations import TERMINAL_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

ESSAY = b"I once had a cat that could open every door but its own. " * 3
TYPES = (*TERMINAL_EVENTS.values(), "EssaySlotsAssigned", "ExcessContentProvisioned")
CONTROL = r"\x1b\[[0-9;?]*[A-Za-z]"  # colours and cursor movements


@pytest.fixture(scope="module")
def workload() -> Workload:
    return make_workload([File(f"{number}.txt", ESSAY) for number in range(300)], "run", 1)


@pytest.fixture(scope="module")
def states(workload: Workload) -> Mapping[str, BatchState]:
    """Return states with the longest status and large counts."""
    return {
        name: BatchState(name, "timed_out", 9, 2_000, 1_000, 1_000, 3_600, None, 0, (), (), {}, (), 0)
        for name in workload.batch_ids
    }


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


def lines(screen: io.StringIO) -> list[str]:
    return [line.rstrip() for line in re.sub(CONTROL, "", screen.getvalue()).splitlines()]


def show_everything(console: Console, workload: Workload, states: Mapping[str, BatchState]) -> None:
    received = [
        ReceivedEvent(each, f"{name} {each}", {"batch_id": name})
        for name in workload.batch_ids
        for each in TYPES
    ]
    with console.live() as live:
        console.begin(live, "wait until every file has an outcome")
        console.progress(live, workload, states, "sent 300 of 300 events to the inbound bus")
    console.batches(workload, states)
    console.events(workload, received)
    console.results([CheckResult(number, (f"incomplete: {'a detail ' * 12}",)) for number in INVARIANTS])


@pytest.mark.parametrize("is_terminal", [True, False])
def test_every_line_fits_80_columns(
    screen: io.StringIO, workload: Workload, states: Mapping[str, BatchState], *, is_terminal: bool
) -> None:
    terminal = Terminal(file=screen, force_terminal=is_terminal, width=WIDTH, highlight=False)
    show_everything(Console(terminal), workload, states)
    assert max(map(len, lines(screen))) <= WIDTH
    assert not [line for line in lines(screen) if "\N{HORIZONTAL ELLIPSIS}" in line], "nothing is cut off"


def test_the_table_has_a_line_per_batch_with_its_counts(
    screen: io.StringIO, workload: Workload, states: Mapping[str, BatchState]
) -> None:
    Console(Terminal(file=screen, width=WIDTH)).batches(workload, states)
    words = [line.split() for line in lines(screen) if line.startswith(("crowded", "incomplete"))]
    assert words == [
        ["crowded", "too", "many", "files", "60", "58", "1000", "1000", "0", "timed_out"],
        ["incomplete", "deadline", "passes", "61", "62", "1000", "1000", "0", "timed_out"],
    ]


def test_an_event_that_is_delivered_twice_is_counted_once(screen: io.StringIO, workload: Workload) -> None:
    event = ReceivedEvent("EssaySlotsAssigned", "id", {"batch_id": workload.batch_ids[0]})
    Console(Terminal(file=screen, width=WIDTH)).events(workload, [event, event])
    assert lines(screen)[3:5] == ["complete    1 EssaySlotsAssigned", "mixed       none"]


@pytest.mark.parametrize(
    ("violations", "expected"),
    [((), "All 1 invariants hold."), (("mixed: wrong",), "1 of 1 invariants are violated.")],
)
def test_the_last_line_says_whether_all_hold(
    screen: io.StringIO, violations: tuple[str, ...], expected: str
) -> None:
    Console(Terminal(file=screen, width=WIDTH)).results([CheckResult(9, violations)])
    assert lines(screen)[-1] == expected
    assert [line.strip("- ") for line in lines(screen) if line.strip().startswith("-")] == list(violations)


def test_a_long_line_is_wrapped_under_its_first_word(screen: io.StringIO) -> None:
    Console(Terminal(file=screen, width=WIDTH)).say("word " * 30)
    first, second, *_ = lines(screen)
    assert first.startswith("    0 s  word")
    assert second.startswith("         word")
