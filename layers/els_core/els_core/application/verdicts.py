"""What the answer to an item means for its message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.messages import PoisonMessage
from els_core.application.steer_batch import CommandIdReused

if TYPE_CHECKING:
    from collections.abc import Iterable


def verdicts(answers: Iterable[object]) -> list[PoisonMessage | Retry | None]:
    """Return why each message is dead or delivered again, None for one that is done."""
    return [_verdict(answer) for answer in answers]


def _verdict(answer: object) -> PoisonMessage | Retry | None:
    match answer:
        case CommandIdReused():
            reason = "a command with this id came before, with other arguments"
            return PoisonMessage("COMMAND_ID_REUSED", "detail.metadata.event_id", reason)
        case StoreRejection(reason):
            return PoisonMessage("REJECTED_BY_STORE", "data", reason)
        case Retry():
            return answer
        case _:
            return None
