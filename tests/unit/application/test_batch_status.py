"""Reading a batch: what is asked of Postgres."""

from __future__ import annotations

from els_core.application.batch_status import NAMED, PAGE_BYTES, BatchDescription, BatchStatus, EpochChanged
from els_core.application.ports.reading import ItemPosition
from els_core.domain.batches import Status
from tests.factories import batch
from tests.unit.application.reading import StubReader, overview_of


def test_a_batch_that_nobody_named_has_no_status() -> None:
    reader = StubReader()
    assert BatchStatus(reader).read("unknown", org_id="org") is None
    assert reader.asked == [("unknown", NAMED, "org")]


def test_the_first_page_is_that_of_the_epoch_and_a_page_of_another_epoch_is_refused() -> None:
    reader = StubReader(overview_of(batch(Status.READY, 2, 2)))
    status = BatchStatus(reader)
    assert isinstance(status.read("b"), BatchDescription)
    assert reader.asked[-1] == ("b", ItemPosition(1), PAGE_BYTES)
    assert isinstance(status.read("b", ItemPosition(1, 1, "essay-1")), BatchDescription)
    assert isinstance(status.read("b", ItemPosition(2, 1, "essay-1")), EpochChanged)
