"""A guard taken out in memory, for as long as a context lasts."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Swap(NamedTuple):
    """An attribute that is replaced by what `make` makes of it."""

    owner: object
    name: str
    make: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A guard that is gone: `limit` is the number of seeds within which the simulator must notice.

    `held_by` names what stands behind the guard where nothing breaks without it; such a one is not counted.
    """

    guard: str
    limit: int
    swaps: tuple[Swap, ...]
    held_by: str = ""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Take the guard out, and put it back."""
        with ExitStack() as stack:
            for swap in self.swaps:
                stack.enter_context(_swapped(swap))
            yield


def without(guard: str, limit: int, *swaps: Swap) -> Mutation:
    """Return a mutation that the simulator must notice."""
    return Mutation(guard, limit, swaps)


def instead(answer: object) -> Callable[[Any], object]:
    """Return what makes a function that always answers this."""
    return lambda _: lambda *_, **__: answer


@contextmanager
def _swapped(swap: Swap) -> Iterator[None]:
    original = getattr(swap.owner, swap.name)
    setattr(swap.owner, swap.name, swap.make(original))
    try:
        yield
    finally:
        setattr(swap.owner, swap.name, original)
