"""Observes the calls of a store: how long they take, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

# Called with the operation; the call of the store runs inside the context.
type ObserveCall = Callable[[str], AbstractContextManager[None]]


def unobserved(_operation: str) -> AbstractContextManager[None]:
    """Observe nothing."""
    return nullcontext()
