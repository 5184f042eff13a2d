"""Observes the calls of stores and of the bus: what they are, and how long they take."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

# Called with the operation; the call of the store runs inside the context.
type ObserveCall = Callable[[str], AbstractContextManager[None]]
# Called with the bus and the number of events; they are sent inside the context.
type ObserveSend = Callable[[str, int], AbstractContextManager[None]]


def unobserved(_operation: str) -> AbstractContextManager[None]:
    """Observe nothing."""
    return nullcontext()


def unobserved_send(_bus: str, _count: int) -> AbstractContextManager[None]:
    """Observe nothing."""
    return nullcontext()
