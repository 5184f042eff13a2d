"""A call of a server: its answer takes a turn to come, and who gave it up may be served all the same."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.outcomes import Outcome
    from tests.fakes.cooperative_scheduler import Turns
    from tests.simulation.choices import Choices


class TooLateError(ExternalServiceError):
    """{service} answered too late while trying to {operation}: it still does what it was asked."""


class Watcher(Protocol):
    """Hears what happens."""

    @property
    def turns(self) -> Turns:
        """Return who takes turns."""
        ...

    @property
    def course(self) -> Choices:
        """Return where chances come from."""
        ...

    def tell(self, what: str, *about: object) -> None:
        """Put a line into the story."""
        ...

    def breach(self, promise: int, batch_id: str, what: str) -> None:
        """End the world: a promise is broken."""
        ...

    def committed(self, decided: dict[ArrivalKey, Outcome]) -> None:
        """Hear of a commit and of what it decided."""
        ...


def answered[T](watcher: Watcher, name: str, call: Callable[[], T]) -> T:
    """Make the call, or let it happen later if its caller gave up; then let the answer be on its way."""
    try:
        answer = call()
    except TooLateError:
        watcher.turns.spawn(f"late {name}", lambda: _late(call))
        raise
    watcher.turns.pause(f"answer of {name}")
    return answer


def _late(call: Callable[[], object]) -> None:
    with suppress(ExternalServiceError):  # nobody waits for the answer any more
        call()
