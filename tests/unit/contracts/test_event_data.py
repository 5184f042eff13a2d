"""Each domain event has all its data, whatever their size."""

from __future__ import annotations

import pytest

from els_core.contracts.event_data import data_of
from els_core.domain.batches import Status
from els_core.domain.events import BatchReopened, ExcessContent
from els_core.domain.outcomes import Reason
from tests.factories import CORRELATION, batch, content


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.REPLACEMENT_FAILED}))
def test_an_excess_content_says_why(reason: Reason) -> None:
    data = data_of(ExcessContent(content("a"), reason, 1, 2))
    assert data.model_dump() == {
        "batch_id": "b",
        "epoch": 1,
        "version": 2,
        "text_storage_id": "a",
        "original_file_name": "a.txt",
        "reason": reason.value,
    }


def test_no_content_is_excess_because_a_replacement_failed() -> None:
    event = ExcessContent(content("a"), Reason.REPLACEMENT_FAILED, 1, 2)
    with pytest.raises(ValueError, match="no content is excess for it"):
        data_of(event)


def test_a_batch_that_was_opened_again_has_a_deadline() -> None:
    with pytest.raises(LookupError, match="has no deadline"):
        data_of(BatchReopened(batch(Status.AWAITED), 0, CORRELATION))
