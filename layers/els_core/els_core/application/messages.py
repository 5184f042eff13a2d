"""Queue messages, and those that can never be processed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One SQS message: its id, its body as sent, and when the queue took it."""

    message_id: str
    body: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PoisonMessage:
    """Why a message can never succeed: a code, the field, and a rule. Never repeats a value of the input."""

    error_code: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message on its way to the dead-letter queue, with the reason."""

    message: QueueMessage
    poison: PoisonMessage
