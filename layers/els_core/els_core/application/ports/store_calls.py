"""Observes the calls of stores and of the bus: what they are, and how long they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from els_core.domain.events import OutboxMessage

# Called with the operation; the call of the store runs inside the context.
type ObserveCall = Callable[[str], AbstractContextManager[None]]
# Called with the bus and the events; they are sent inside the context.
type ObserveSend = Callable[[str, Sequence[OutboxMessage]], AbstractContextManager[None]]


def unobserved(_operation: str) -> AbstractContextManager[None]:
    """Observe nothing."""
    return nullcontext()


def unobserved_send(_bus: str, _messages: Sequence[OutboxMessage]) -> AbstractContextManager[None]:
    """Observe nothing."""
    return nullcontext()
