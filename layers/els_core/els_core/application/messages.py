"""Queue messages, and those that can never be processed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One SQS message: its id and its body as sent."""

    message_id: str
    body: str


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
