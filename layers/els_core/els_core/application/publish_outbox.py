"""The relay: publish what was committed and not sent, oldest first; at least once, with the same ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.post_commit import PostCommit
    from els_core.domain.errors import FaultError

PAGE = 100  # ten PutEvents calls
# Younger rows are most likely being sent by the invocation that wrote them. Sending them twice is harmless,
# so nothing depends on this figure.
GRACE = timedelta(seconds=10)


@dataclass(slots=True)
class RelayResult:
    """How many events the bus accepted, how many it rejected and that stay in the outbox, and why."""

    sent: int = 0
    unsent: int = 0
    faults: list[FaultError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PublishOutbox:
    """Two relays at once send an event twice, never not at all."""

    post_commit: PostCommit
    grace: timedelta = GRACE

    def run(self, may_continue: Callable[[], bool]) -> RelayResult:
        """Publish page by page until the outbox is empty or `may_continue` says that time runs short."""
        result, position = RelayResult(), 0
        while may_continue():
            page = self.post_commit.repository.unsent(self.grace, position, PAGE)
            published = self.post_commit.publish([message for _, message in page])
            result.sent += published.sent
            result.unsent += published.unsent
            result.faults.extend(published.faults)
            if len(page) < PAGE:
                break
            position = page[-1][0]  # one event that cannot be sent does not hold up the others
        return result
