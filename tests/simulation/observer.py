"""What traced servers report to their environment, and calls whose answer is delayed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.domain.arrivals import ArrivalKey
    from els_core.domain.outcomes import Outcome
    from tests.fakes.cooperative_scheduler import CooperativeScheduler
    from tests.simulation.choices import Choices


class ClientTimeoutError(ExternalServiceError):
    """The client timed out during "{operation}"; {service} still executes the request."""


class Observer(Protocol):
    """The environment, as the servers in it know it."""

    @property
    def scheduler(self) -> CooperativeScheduler:
        """Return the scheduler of all tasks."""
        ...

    @property
    def choices(self) -> Choices:
        """Return the random choices of the run."""
        ...

    def log(self, text: str, *values: object) -> None:
        """Append a line to the trace."""
        ...

    def fail(self, invariant: int, batch_id: str, what: str) -> None:
        """End the run: an invariant is violated."""
        ...

    def committed(self, decided: dict[ArrivalKey, Outcome]) -> None:
        """Check the invariants after a commit that decided these arrivals."""
        ...


def answer_later[T](observer: Observer, name: str, call: Callable[[], T]) -> T:
    """Make the call and yield while its answer is in flight; after a client timeout, make it later."""
    try:
        answer = call()
    except ClientTimeoutError:
        observer.scheduler.spawn(f"late {name}", lambda: _ignoring_the_answer(call))
        raise
    observer.scheduler.pause(f"answer of {name}")
    return answer


def _ignoring_the_answer(call: Callable[[], object]) -> None:
    with suppress(ExternalServiceError):
        call()
