"""Statements of one connection: what needs no earlier answer waits and travels together."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pg8000.exceptions import Error

from els_core.adapters.postgres.errors import fault_of
from els_core.domain.errors import ProcessingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.adapters.postgres.calls import Call, Result
    from els_core.adapters.postgres.driver import OneTripConnection

# What the buffers of two sockets hold even if nobody reads, in each direction. Postgres stops reading while
# its answers are not read, and the driver reads when it has sent everything: they must never wait for each
# other.
MAX_ROWS_AHEAD = 100
MAX_BYTES = 16_000


class Pipeline:
    """Calls are sent in their order, by `now` or by `send`; a fault names the operation that failed."""

    def __init__(self, connection: OneTripConnection, *, named: bool) -> None:
        self._connection = connection
        self._named = named
        self._pending: list[Call] = []

    @property
    def is_usable(self) -> bool:
        """Tell whether the connection can take further calls."""
        return self._connection.is_in_step

    def later(self, call: Call) -> Call:
        """Send a call with the next ones; its result is there then."""
        self._pending.append(call)
        return call

    def now(self, call: Call) -> Result:
        """Send a call, after all that waits; return its result."""
        self.later(call)
        self.send()
        if call.result is None:
            raise ProcessingError(call.operation, service="Postgres", details="no answer")
        return call.result

    def send(self) -> None:
        """Send all that waits; raise the fault of the first call that failed."""
        pending, self._pending = self._pending, []
        for calls in _flights(pending):
            try:
                error = self._connection.fly(calls, named=self._named)
            except (Error, OSError) as lost:
                raise fault_of(lost, calls[-1].operation) from lost
            if error is not None:
                failed = next(call for call in calls if call.result is None)
                raise fault_of(error, failed.operation) from error

    def discard(self) -> None:
        """Forget what waits."""
        self._pending = []


def _flights(calls: list[Call]) -> Iterator[list[Call]]:
    """Split the calls before one with large values that follows one with many rows."""
    start = 0
    has_many_rows = False
    for at, call in zip(count(), calls, strict=False):
        if has_many_rows and _size(call) > MAX_BYTES:
            yield calls[start:at]
            start, has_many_rows = at, False
        has_many_rows = has_many_rows or call.max_rows is None or call.max_rows > MAX_ROWS_AHEAD
    yield calls[start:]


def _size(call: Call) -> int:
    return sum(len(value) for value in call.values.values() if isinstance(value, bytes | str))
