"""The relay: publish what was committed and not sent; at least once, with the same ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.domain.errors import EventBusMissingError, ExternalServiceError, FaultError

if TYPE_CHECKING:
    from els_core.application.budgets import MayContinue
    from els_core.application.ports.messaging import EventBusProbe
    from els_core.application.post_commit import PostCommit

PAGE_BYTES = 4_000_000  # four of the largest calls
# Younger rows are most likely being sent by the invocation that wrote them. Sending them twice is harmless,
# so nothing depends on this figure.
GRACE = timedelta(seconds=10)


@dataclass(slots=True)
class RelayResult:
    """How many events the bus accepted, how many stay in the outbox, and why.

    `result_latencies` are those of `PublishResult`.
    """

    sent: int = 0
    unsent: int = 0
    faults: list[FaultError] = field(default_factory=list)
    result_latencies: list[timedelta] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PublishOutbox:
    """Relays may overlap: an event may be sent twice, and none is lost."""

    post_commit: PostCommit
    bus: EventBusProbe
    grace: timedelta = GRACE

    def run(self, may_continue: MayContinue) -> RelayResult:
        """Publish page by page until the outbox is empty or `may_continue` says that time runs short.

        Final results come first, then the oldest. Sends nothing to a bus that does not exist, because
        PutEvents would answer success and the events would be lost. A bus that does not answer ends the run,
        which then counts as not run, like one without any time. Raises a fault of Postgres if nothing was
        sent before it.
        """
        result = RelayResult()
        if not self.bus.exists():
            result.faults.append(EventBusMissingError("publish outbox", service="EventBridge"))
            return result
        if not may_continue():
            return result
        try:
            for is_final in (True, False):
                if not self._relay(result, may_continue, is_final=is_final):
                    return result
            self.post_commit.repository.note_run("publish_outbox")
        except FaultError as fault:
            if not result.sent:
                raise
            result.faults.append(fault)
        return result

    def _relay(self, result: RelayResult, may_continue: MayContinue, *, is_final: bool) -> bool:
        """Publish final results, or the other events, by pages; return False when the bus is unavailable."""
        position: int | None = 0
        while position is not None and may_continue():
            page = self.post_commit.repository.unsent(self.grace, position, PAGE_BYTES, is_final=is_final)
            try:
                published = self.post_commit.publish(page, may_continue)
            except ExternalServiceError as fault:
                result.unsent += len(page)
                result.faults.append(fault)
                return False
            result.sent += published.sent
            result.unsent += published.unsent
            result.faults.extend(published.faults)
            result.result_latencies.extend(published.result_latencies)
            # One event that cannot be sent does not hold up the others.
            position = page[-1].position if page else None
        return True
