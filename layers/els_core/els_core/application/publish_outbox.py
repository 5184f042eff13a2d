"""Send what was committed and left behind, oldest first; at least once, with the same ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.delivering import Delivery
    from els_core.domain.errors import FaultError

PAGE = 100  # ten PutEvents calls
# Younger rows are most likely on their way already, in the invocation that wrote them; sending them too is
# harmless, so nothing depends on this figure.
GRACE = timedelta(seconds=10)


@dataclass(slots=True)
class Relayed:
    """How many messages the bus took, how many it refused and that stay in the outbox, and why."""

    sent: int = 0
    left: int = 0
    faults: list[FaultError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PublishOutbox:
    """The relay. Two of them at once send twice, never nothing."""

    delivery: Delivery
    grace: timedelta = GRACE

    def __call__(self, may_continue: Callable[[], bool]) -> Relayed:
        """Send page by page until the outbox is empty or `may_continue` says that time runs short."""
        relayed, position = Relayed(), 0
        while may_continue():
            page = self.delivery.repository.unsent(self.grace, position, PAGE)
            delivered = self.delivery.send([message for _, message in page])
            relayed.sent += delivered.sent
            relayed.left += delivered.left
            relayed.faults.extend(delivered.faults)
            if len(page) < PAGE:
                break
            position = page[-1][0]  # one that cannot be sent does not hold up the others
        return relayed
