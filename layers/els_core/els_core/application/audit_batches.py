"""Compare Redis with the record, find what is stuck, and heal what is safe to heal when asked to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from els_core.application.ports import Limits
from els_core.domain.auditing import IDLE, Finding, Kind, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.expire_batches import ExpireBatches, Expired
    from els_core.application.ports import Clock, Coordinator, Inspector, Ledger
    from els_core.application.publish_outbox import PublishOutbox, Relayed

PAGE = 100  # open batches per look at Redis: bounded memory
SHOWN = 1_000  # findings of one kind
SWEEPS_MISSED = timedelta(minutes=3)  # the sweep and the relay run each minute
WINDOW = timedelta(days=1)


@dataclass(slots=True)
class Audit:
    """What an audit found; `healed` of it is right again, `unchecked` says that time ran short."""

    findings: list[Finding] = field(default_factory=list)
    healed: list[Finding] = field(default_factory=list)
    batches: int = 0
    unchecked: bool = False
    expired: Expired | None = None
    relayed: Relayed | None = None

    @property
    def left(self) -> list[Finding]:
        """Return what is still wrong."""
        return [finding for finding in self.findings if finding not in self.healed]

    def counts(self) -> dict[Kind, int]:
        """Count the findings of every kind, zeros too."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in Kind}


@dataclass(frozen=True, slots=True)
class AuditBatches:
    """Read-only unless told to repair; then it does what the sweep, the relay and the next event would do.

    These two are made when they are needed: looking needs no bus.
    """

    ledger: Ledger
    inspector: Inspector
    coordinator: Coordinator
    clock: Clock
    sweep: Callable[[], ExpireBatches]
    relay: Callable[[], PublishOutbox]
    parking: timedelta
    window: timedelta = WINDOW

    def __call__(self, may_continue: Callable[[], bool], *, repair: bool = False) -> Audit:
        """Audit page by page until all open batches are seen or `may_continue` says that time runs short."""
        # What was parked is announced by the sweep; longer than that and one more miss is news.
        limits = Limits(SWEEPS_MISSED, self.parking + SWEEPS_MISSED, SWEEPS_MISSED)
        audit = Audit(self.ledger.suspects(limits, SHOWN))
        for look in (self._recount, partial(self._compare, repair=repair)):
            after: str | None = ""
            while after is not None and may_continue():
                after = look(audit, after)
            audit.unchecked |= after is not None
        if repair:
            self._heal(audit, may_continue)
        return audit

    def _recount(self, audit: Audit, after: str) -> str | None:
        """Look at a page; return where the next one begins."""
        findings, last = self.ledger.recount(self.window, after, PAGE)
        audit.findings.extend(findings)
        return last

    def _compare(self, audit: Audit, after: str, *, repair: bool) -> str | None:
        """Compare a page of open batches with Redis; return where the next one begins."""
        rolls = self.ledger.idle_open(IDLE, after, PAGE)
        now = self.clock.now()
        audit.batches += len(rolls)
        known = self.inspector.inspect([roll.batch.batch_id for roll in rolls]) if rolls else []
        found = {
            roll.batch.batch_id: finding
            for roll, held in zip(rolls, known, strict=True)
            if (finding := compare(roll, held, now))
        }
        audit.findings.extend(found.values())
        if found and repair:
            self.coordinator.install([roll for roll in rolls if roll.batch.batch_id in found], now)
            audit.healed.extend(found.values())
        return rolls[-1].batch.batch_id if rolls else None

    def _heal(self, audit: Audit, may_continue: Callable[[], bool]) -> None:
        """Do what the sweep and the relay should have done; counts and digests are for a person to judge."""
        kinds = {finding.kind for finding in audit.findings}
        if Kind.OVERDUE_OPEN in kinds:
            audit.expired = self.sweep()(may_continue)
            closed = {batch.batch_id for batch in audit.expired.closed}
            audit.healed.extend(
                finding
                for finding in audit.findings
                if finding.kind is Kind.OVERDUE_OPEN and finding.batch_id in closed
            )
        if Kind.OUTBOX_TOO_OLD in kinds:
            audit.relayed = self.relay()(may_continue)
            if not audit.relayed.left:
                audit.healed.extend(f for f in audit.findings if f.kind is Kind.OUTBOX_TOO_OLD)
