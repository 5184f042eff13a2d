"""What the demo shows: waits, live progress, the table at the end and the promises."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dev.demo.checks import Verdict
    from dev.demo.evidence import Book
    from dev.demo.workload import Plan
    from dev.deploy.stack import Heard

PLAIN_SECONDS = 10  # between two lines where there is no terminal


class Screen:
    """A terminal, or a pipe that gets plain lines."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = 150
        self._start = monotonic()
        self._last = 0.0
        self._note = ""

    def say(self, line: str) -> None:
        """Print one line with the seconds since the start."""
        self.console.print(f"{monotonic() - self._start:5.0f} s  {line}", soft_wrap=True)

    @contextmanager
    def wait(self, what: str) -> Iterator[None]:
        """Say what is waited for."""
        self.say(what)
        yield

    @contextmanager
    def live(self) -> Iterator[Live | None]:
        """Show live progress where there is a terminal."""
        if not self.console.is_terminal:
            yield None
            return
        with Live(console=self.console, auto_refresh=False) as live:
            yield live

    def progress(self, live: Live | None, plan: Plan, books: Mapping[str, Book], note: str) -> None:
        """Show where every batch stands."""
        if live is not None:
            live.update(_progress(plan, books, note), refresh=True)
        elif monotonic() - self._last > PLAIN_SECONDS or (note != self._note and note.startswith("wait")):
            self._last, self._note = monotonic(), note
            states = (f"{b.name} {_used(books.get(b.batch_id))}" for b in plan.batches)
            self.say(f"{note}: {', '.join(states)}")

    def results(self, plan: Plan, books: Mapping[str, Book], heard: Sequence[Heard]) -> None:
        """Print per batch what came out on the bus."""
        columns = (
            "batch",
            "shows",
            "slots",
            "files",
            "assigned",
            "failed",
            "excess",
            "final result",
            "on the bus",
        )
        table = Table(*columns)
        for batch in plan.batches:
            book = books.get(batch.batch_id)
            if book is None:
                table.add_row(batch.name, batch.shows)
                continue
            ids = {e.event_id: e.detail_type for e in heard if e.data["batch_id"] == batch.batch_id}
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(ids.values()).items()))
            counts = (batch.slots, len(plan.arrivals(batch)), book.assigned, book.failed, len(book.excess))
            table.add_row(batch.name, batch.shows, *map(str, counts), book.status, kinds)
        self.console.print(table)

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Print each promise on a line of its own, and what breaks it."""
        for verdict in verdicts:
            self.console.print(
                f"{'[red]BROKEN' if verdict.breaches else '[green]holds '}[/]  {verdict.promise}"
            )
            for breach in verdict.breaches:
                self.console.print(f"          {breach}", markup=False)

    def left_running(self, batch_id: str) -> None:
        """Say how to go on with what is left running."""
        send = ".venv/bin/python -m dev.demo.session send EssayContentProvisioned"
        sample = {
            "batch_id": batch_id,
            "text_storage_id": "text-1",
            "raw_file_storage_id": "raw-1",
            "original_file_name": "late.txt",
            "file_size_bytes": 900,
        }
        self.console.print(
            f"Everything is left running.\n  send an event:   {send} '{json.dumps(sample)}'\n"
            f"  look at a batch: .venv/bin/python -m dev.demo.session look {batch_id}\n"
            "  stop it:         make demo-stop",
            markup=False,
            soft_wrap=True,
        )


def _used(book: Book | None) -> str:
    if book is None:
        return "unknown"
    return f"{book.status} {book.assigned + book.failed}/{book.expected}"


def _progress(plan: Plan, books: Mapping[str, Book], note: str) -> Table:
    columns = ("batch", "status", "slots filled", "failed", "parked", "excess", "time left")
    table = Table(*columns, title=note, title_justify="left")
    for batch in plan.batches:
        book = books.get(batch.batch_id)
        if book is None:
            table.add_row(batch.name, "unknown")
            continue
        left = book.seconds_left if not book.is_terminal else None
        table.add_row(
            batch.name,
            book.status,
            f"{book.assigned} of {batch.slots}",
            str(book.failed),
            str(len(book.parked)),
            str(len(book.excess)),
            "" if left is None else f"{max(left, 0):.0f} s",
        )
    return table
