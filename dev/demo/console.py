"""What the demo prints: its steps, live progress, the batches, the events and the invariants."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console as Terminal
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dev.invariants.catalogue import INVARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dev.demo.checks import CheckResult
    from dev.demo.evidence import BatchState
    from dev.demo.workload import Workload
    from dev.deploy.stack import ReceivedEvent

WIDTH = 80  # of everything that is wrapped, also where there is no terminal
TIED = "\N{NO-BREAK SPACE}"  # between two words of a line; printed as a blank
PLAIN_SECONDS = 10  # between two progress lines where there is no terminal
LEFT = {"batch", "shows", "status"}  # columns of text; the others are numbers
# batch, what it shows, counts, status
ROW = "{:12}{:18}{:>5}{:>7}{:>10}{:>8}{:>8}  {}"
COLUMNS = ("files", "slots", "assigned", "failed", "excess")


class Console:
    """A terminal with live progress, or a pipe that gets plain lines; nothing is wider than 80 columns."""

    def __init__(self, terminal: Terminal | None = None) -> None:
        self._terminal = terminal or Terminal(highlight=False, width=WIDTH)
        self._start = monotonic()
        self._last = 0.0
        self._begun = ""

    def say(self, line: str) -> None:
        """Print one step with the seconds since the start."""
        self._print(line, f"{monotonic() - self._start:5.0f} s  ")

    @contextmanager
    def live(self) -> Iterator[Live | None]:
        """Show live progress on a terminal; yield None where there is none."""
        if not self._terminal.is_terminal:
            yield None
            return
        with Live(console=self._terminal, auto_refresh=False) as live:
            yield live

    def begin(self, live: Live | None, note: str) -> None:
        """Print what is waited for, where live progress does not show it."""
        if live is None:
            self._begun = note
            self.say(note)

    def progress(
        self, live: Live | None, workload: Workload, states: Mapping[str, BatchState], note: str
    ) -> None:
        """Show the state of every batch: live, or as a line every few seconds."""
        if live is not None:
            live.update(_progress(workload, states, note), refresh=True)
        elif monotonic() - self._last > PLAIN_SECONDS:
            self._last = monotonic()
            used = ", ".join(f"{each.name} {_used(states.get(each.batch_id))}" for each in workload.batches)
            self.say(used if note == self._begun else f"{note}: {used}")

    def batches(self, workload: Workload, states: Mapping[str, BatchState]) -> None:
        """Print what became of each batch, as Postgres has it."""
        self._terminal.print("\nThe batches in Postgres:\n")
        self._terminal.print(ROW.format("batch", "shows", *COLUMNS, "status"))
        for batch in workload.batches:
            state = states.get(batch.batch_id)
            files = len(workload.identities(batch))
            counts = (state.assigned, state.failed, len(state.excess), state.status) if state else ("-",) * 4
            self._terminal.print(ROW.format(batch.name, batch.shows, files, batch.slots, *counts))

    def events(self, workload: Workload, received: Sequence[ReceivedEvent]) -> None:
        """Print how many distinct events of each type a consumer of the outbound bus received."""
        self._terminal.print("\nThe events that a consumer received, each counted once:\n")
        distinct = {event.event_id: event for event in received}.values()
        for batch in workload.batches:
            types = Counter(e.detail_type for e in distinct if e.data["batch_id"] == batch.batch_id)
            counts = ", ".join(f"{count}{TIED}{detail_type}" for detail_type, count in sorted(types.items()))
            self._print(counts or "none", f"{batch.name:12}")

    def results(self, results: Sequence[CheckResult]) -> None:
        """Print each invariant, and what violates it."""
        self._terminal.print("\nThe invariants:\n")
        for result in results:
            state, style = ("VIOLATED", "red") if result.violations else ("holds", "green")
            first = f"{state:8} {result.invariant:3}  "
            self._print(INVARIANTS[result.invariant], first, style)
            for violation in result.violations:
                self._print(violation, " " * len(first) + "- ")
        violated = sum(bool(result.violations) for result in results)
        count = len(results)
        end = (
            f"{violated} of {count} invariants are violated." if violated else f"All {count} invariants hold."
        )
        self._terminal.print(f"\n{end}")

    def left_running(self, batch_id: str, page: str) -> None:
        """Say how to go on with what is left running."""
        session = ".venv/bin/python -m dev.demo.session"
        data = {
            "batch_id": batch_id,
            "text_storage_id": "text-1",
            "raw_file_storage_id": "raw-1",
            "original_file_name": "late.txt",
            "file_size_bytes": 900,
        }
        self._terminal.print(
            f"\nEverything is left running.\n\nSend an event:\n"
            f"  {session} send EssayContentProvisioned \\\n  '{json.dumps(data)}'\n"
            f"Look at the page:\n  {page}\n"
            f"Ask, act, and see who did what:\n  .venv/bin/els why {batch_id}\n  .venv/bin/els --help\n"
            f"See the traces of a batch:\n  {session} story {batch_id}\n"
            "Stop it:\n  make demo-stop",
            markup=False,
            soft_wrap=True,
        )

    def _print(self, text: str, first: str, style: str = "") -> None:
        """Print a text behind its first columns, wrapped with a hanging indent."""
        lines = textwrap.wrap(text, WIDTH - len(first), break_long_words=False, break_on_hyphens=False)
        wrapped = ("\n" + " " * len(first)).join(lines).replace(TIED, " ")
        self._terminal.print(Text.assemble((first, style), wrapped), soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="left" if column in LEFT else "right", no_wrap=True)
    return table


def _used(state: BatchState | None) -> str:
    if state is None:
        return "unknown"
    return f"{state.status} {state.assigned + state.failed}/{state.expected}"


def _progress(workload: Workload, states: Mapping[str, BatchState], note: str) -> Table:
    table = _table("batch", "slots", "assigned", "failed", "excess", "parked", "seconds left", "status")
    table.title, table.title_justify, table.title_style = note, "left", ""
    for batch in workload.batches:
        state = states.get(batch.batch_id)
        if state is None:
            table.add_row(batch.name, str(batch.slots))
            continue
        left = "" if state.is_terminal or state.seconds_left is None else f"{max(state.seconds_left, 0):.0f}"
        counts = (batch.slots, state.assigned, state.failed, len(state.excess), len(state.parked))
        table.add_row(batch.name, *map(str, counts), left, state.status)
    return table
