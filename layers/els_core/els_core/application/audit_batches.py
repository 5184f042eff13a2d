"""Compare Redis with Postgres, find what is stuck, and on request repair what is safe to repair."""

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

PAGE = 100  # open batches per read of Redis: bounded memory
MAX_FINDINGS = 1_000  # of one kind
SWEEPS_MISSED = timedelta(minutes=3)  # the sweep and the relay run each minute
WINDOW = timedelta(days=1)


@dataclass(slots=True)
class AuditReport:
    """What an audit found and repaired; `unchecked` says that time ran short."""

    findings: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    batches: int = 0
    unchecked: bool = False
    sweep: SweepResult | None = None
    relay: RelayResult | None = None

    @property
    def open_findings(self) -> list[Finding]:
        """Return what is still wrong."""
        return [finding for finding in self.findings if finding not in self.repaired]

    def counts(self) -> dict[FindingKind, int]:
        """Return the number of findings of every kind, zeros included."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in FindingKind}


@dataclass(frozen=True, slots=True)
class AuditBatches:
    """Read-only unless told to repair; then it does what the sweep, the relay and the next event would do.

    `sweep` and `relay` are factories, so that a read-only audit builds no EventBridge client.
    """

    audit_reader: AuditReader
    inspector: CoordinatorInspector
    coordinator: Coordinator
    clock: Clock
    sweep: Callable[[], ExpireBatches]
    relay: Callable[[], PublishOutbox]
    parking: timedelta
    window: timedelta = WINDOW

    def run(self, may_continue: Callable[[], bool], *, repair: bool = False) -> AuditReport:
        """Audit page by page until all is checked or `may_continue` says that time runs short."""
        # The sweep announces parked arrivals; only what it missed for several runs is a finding.
        thresholds = StuckThresholds(SWEEPS_MISSED, self.parking + SWEEPS_MISSED, SWEEPS_MISSED)
        report = AuditReport(self.audit_reader.find_stuck(thresholds, MAX_FINDINGS))
        for check_page in (self._recount, partial(self._compare, repair=repair)):
            after: str | None = ""
            while after is not None and may_continue():
                after = check_page(report, after)
            report.unchecked |= after is not None
        if repair:
            self._repair(report, may_continue)
        return report

    def _recount(self, report: AuditReport, after: str) -> str | None:
        """Recount a page; return the id after which the next one begins."""
        findings, last = self.audit_reader.recount(self.window, after, PAGE)
        report.findings.extend(findings)
        return last

    def _compare(self, report: AuditReport, after: str, *, repair: bool) -> str | None:
        """Compare a page of open batches with Redis; return the id after which the next one begins."""
        snapshots = self.audit_reader.idle_open(IDLE, after, PAGE)
        if not snapshots:
            return None
        now = self.clock.now()
        report.batches += len(snapshots)
        views = self.inspector.inspect([snapshot.batch.batch_id for snapshot in snapshots])
        found = {
            snapshot.batch.batch_id: finding
            for snapshot, view in zip(snapshots, views, strict=True)
            if (finding := compare(snapshot, view, now))
        }
        report.findings.extend(found.values())
        if found and repair:
            wrong = [snapshot for snapshot in snapshots if snapshot.batch.batch_id in found]
            self.coordinator.install(wrong, now)
            report.repaired.extend(found.values())
        return snapshots[-1].batch.batch_id

    def _repair(self, report: AuditReport, may_continue: Callable[[], bool]) -> None:
        """Do what the sweep and the relay should have done. Counts and digests need a person's judgement."""
        kinds = {finding.kind for finding in report.findings}
        if FindingKind.OVERDUE_OPEN in kinds:
            report.sweep = self.sweep().run(may_continue)
            closed = {batch.batch_id for batch in report.sweep.closed}
            report.repaired.extend(
                finding
                for finding in report.findings
                if finding.kind is FindingKind.OVERDUE_OPEN and finding.batch_id in closed
            )
        if FindingKind.OUTBOX_TOO_OLD in kinds:
            report.relay = self.relay().run(may_continue)
            if not report.relay.unsent:
                report.repaired.extend(f for f in report.findings if f.kind is FindingKind.OUTBOX_TOO_OLD)
