"""Compare Redis with the record, find what is stuck, and heal what is safe to heal when asked to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from els_core.application.ports.audit_reader import StuckThresholds
from els_core.domain.audit import IDLE, Finding, FindingKind, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.application.expire_batches import ExpireBatches, SweepResult
    from els_core.application.ports.audit_reader import AuditReader
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator, CoordinatorInspector
    from els_core.application.publish_outbox import PublishOutbox, RelayResult

PAGE = 100  # open batches per look at Redis: bounded memory
SHOWN = 1_000  # findings of one kind
SWEEPS_MISSED = timedelta(minutes=3)  # the sweep and the relay run each minute
WINDOW = timedelta(days=1)


@dataclass(slots=True)
class AuditReport:
    """What an audit found; `healed` of it is right again, `unchecked` says that time ran short."""

    findings: list[Finding] = field(default_factory=list)
    healed: list[Finding] = field(default_factory=list)
    batches: int = 0
    unchecked: bool = False
    expired: SweepResult | None = None
    relayed: RelayResult | None = None

    @property
    def left(self) -> list[Finding]:
        """Return what is still wrong."""
        return [finding for finding in self.findings if finding not in self.healed]

    def counts(self) -> dict[FindingKind, int]:
        """Count the findings of every kind, zeros too."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in FindingKind}


@dataclass(frozen=True, slots=True)
class AuditBatches:
    """Read-only unless told to repair; then it does what the sweep, the relay and the next event would do.

    These two are made when they are needed: looking needs no bus.
    """

    audit_reader: AuditReader
    coordinator_inspector: CoordinatorInspector
    coordinator: Coordinator
    clock: Clock
    sweep: Callable[[], ExpireBatches]
    relay: Callable[[], PublishOutbox]
    parking: timedelta
    window: timedelta = WINDOW

    def run(self, may_continue: Callable[[], bool], *, repair: bool = False) -> AuditReport:
        """Audit page by page until all open batches are seen or `may_continue` says that time runs short."""
        # What was parked is announced by the sweep; longer than that and one more miss is news.
        limits = StuckThresholds(SWEEPS_MISSED, self.parking + SWEEPS_MISSED, SWEEPS_MISSED)
        audit = AuditReport(self.audit_reader.find_stuck(limits, SHOWN))
        for look in (self._recount, partial(self._compare, repair=repair)):
            after: str | None = ""
            while after is not None and may_continue():
                after = look(audit, after)
            audit.unchecked |= after is not None
        if repair:
            self._heal(audit, may_continue)
        return audit

    def _recount(self, audit: AuditReport, after: str) -> str | None:
        """Look at a page; return where the next one begins."""
        findings, last = self.audit_reader.recount(self.window, after, PAGE)
        audit.findings.extend(findings)
        return last

    def _compare(self, audit: AuditReport, after: str, *, repair: bool) -> str | None:
        """Compare a page of open batches with Redis; return where the next one begins."""
        snapshots = self.audit_reader.idle_open(IDLE, after, PAGE)
        now = self.clock.now()
        audit.batches += len(snapshots)
        known = (
            self.coordinator_inspector.inspect([snapshot.batch.batch_id for snapshot in snapshots])
            if snapshots
            else []
        )
        found = {
            snapshot.batch.batch_id: finding
            for snapshot, held in zip(snapshots, known, strict=True)
            if (finding := compare(snapshot, held, now))
        }
        audit.findings.extend(found.values())
        if found and repair:
            self.coordinator.install(
                [snapshot for snapshot in snapshots if snapshot.batch.batch_id in found], now
            )
            audit.healed.extend(found.values())
        return snapshots[-1].batch.batch_id if snapshots else None

    def _heal(self, audit: AuditReport, may_continue: Callable[[], bool]) -> None:
        """Do what the sweep and the relay should have done; counts and digests are for a person to judge."""
        kinds = {finding.kind for finding in audit.findings}
        if FindingKind.OVERDUE_OPEN in kinds:
            audit.expired = self.sweep().run(may_continue)
            closed = {batch.batch_id for batch in audit.expired.closed}
            audit.healed.extend(
                finding
                for finding in audit.findings
                if finding.kind is FindingKind.OVERDUE_OPEN and finding.batch_id in closed
            )
        if FindingKind.OUTBOX_TOO_OLD in kinds:
            audit.relayed = self.relay().run(may_continue)
            if not audit.relayed.unsent:
                audit.healed.extend(f for f in audit.findings if f.kind is FindingKind.OUTBOX_TOO_OLD)
