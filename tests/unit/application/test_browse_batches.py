"""Pages of lists: one more row than is shown tells whether anything follows."""

from __future__ import annotations

from els_core.application.browse_batches import BrowseBatches
from els_core.application.ports.history import (
    FoundKind,
    FoundPosition,
    FoundRow,
    HistoryKind,
    HistoryPosition,
    HistoryRow,
)
from els_core.application.ports.reading import BatchFilter
from tests.unit.application.reading import NOW, StubReader

ROWS = [HistoryRow(HistoryPosition(NOW, 1, str(number)), HistoryKind.NAMED) for number in range(3)]
FINDS = [FoundRow(FoundPosition(str(number), FoundKind.BATCH, ""), "open") for number in range(3)]


def test_a_caller_of_an_organisation_asks_for_it_alone() -> None:
    reader = StubReader(rows=ROWS)
    browse = BrowseBatches(reader, "org")
    browse.batches(BatchFilter(), None, 2)
    browse.history("b", None, 2)
    browse.find("x", None, 2)
    assert reader.asked == [
        (BatchFilter(), None, 2, "org"),
        ("b", None, 3, "org"),
        ("x", None, 3, "org"),
    ]


def test_a_history_goes_on_after_its_last_entry_until_nothing_follows() -> None:
    browse = BrowseBatches(StubReader(rows=ROWS))
    page = browse.history("b", None, 2)
    assert page is not None
    assert (page.rows, page.next_page) == (ROWS[:2], ROWS[1].position)
    whole = browse.history("b", None, 3)
    assert whole is not None
    assert (whole.rows, whole.next_page) == (ROWS, None)


def test_what_has_no_history_is_unknown_but_the_end_of_one_is_not() -> None:
    browse = BrowseBatches(StubReader())
    assert browse.history("b", None, 2) is None
    end = browse.history("b", ROWS[2].position, 2)
    assert end is not None
    assert end.rows == []


def test_finds_go_on_after_the_last_one_until_nothing_follows() -> None:
    browse = BrowseBatches(StubReader(finds=FINDS))
    page, whole = browse.find("x", None, 2), browse.find("x", None, 3)
    assert (page.rows, page.next_page) == (FINDS[:2], FINDS[1].position)
    assert (whole.rows, whole.next_page) == (FINDS, None)
