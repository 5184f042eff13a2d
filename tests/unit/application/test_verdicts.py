"""What the answer to an item means for its message."""

from __future__ import annotations

import pytest

from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.messages import PoisonMessage
from els_core.application.register_batch import Opened, Rejected
from els_core.application.steer_batch import BatchNotFound, CommandIdReused
from els_core.application.verdicts import verdicts
from els_core.domain.outcomes import Parked


def test_what_can_never_succeed_is_dead_with_its_reason() -> None:
    reused, rejected = verdicts([CommandIdReused(), StoreRejection("too long")])
    assert isinstance(reused, PoisonMessage)
    assert (reused.error_code, reused.field) == ("COMMAND_ID_REUSED", "detail.metadata.event_id")
    assert rejected == PoisonMessage("REJECTED_BY_STORE", "data", "too long")


def test_what_was_not_reached_is_delivered_again() -> None:
    assert verdicts([Retry()]) == [Retry()]


@pytest.mark.parametrize("answer", [Opened(), Rejected("other data"), Parked(), BatchNotFound()])
def test_a_business_answer_is_done(answer: object) -> None:
    assert verdicts([answer]) == [None]
