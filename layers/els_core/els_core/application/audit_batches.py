"""Compare Redis with Postgres, find what is stuck, and on request repair what is safe to repair."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from els_core.application.budgets import MAX_SLOTS
from els_core.application.ports.audit_reader import StuckThresholds
from els_core.application.ports.coordinator import CoordinatorUpdate
from els_core.domain.audit import IDLE, CoordinatorView, Finding, FindingKind, Repair, compare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from els_core.application.budgets import MayContinue
    from els_core.application.expire_batches import ExpireBatches, SweepResult
    from els_core.application.ports.audit_reader import AuditReader
    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import Coordinator, CoordinatorInspector
    from els_core.application.ports.messaging import EventBusProbe
    from els_core.application.publish_outbox import PublishOutbox, RelayResult
    from els_core.domain.audit import UnreadableView
    from els_core.domain.batches import BatchSnapshot

PAGE = 100  # batches recounted by one statement
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
    """Read-only unless asked to repair; then it does what the sweep, the relay and the next event would do.

    `sweep` and `relay` are factories, so that a read-only audit needs no event bus. `bus` is None when none
    is configured; then it is not checked.
    """

    audit_reader: AuditReader
    inspector: CoordinatorInspector
    coordinator: Coordinator
    clock: Clock
    sweep: Callable[[], ExpireBatches]
    relay: Callable[[], PublishOutbox]
    parking: timedelta
    bus: EventBusProbe | None = None
    window: timedelta = WINDOW

    def run(self, may_continue: MayContinue, *, repair: bool = False) -> AuditReport:
        """Audit page by page until all is checked or `may_continue` says that time runs short."""
        # The sweep announces parked arrivals; only what it missed for several runs is a finding.
        thresholds = StuckThresholds(SWEEPS_MISSED, self.parking + SWEEPS_MISSED, SWEEPS_MISSED)
        report = AuditReport([*self._check_bus(), *self.audit_reader.find_stuck(thresholds, MAX_FINDINGS)])
        for check_page in (self._recount, partial(self._compare, repair=repair)):
            after: str | None = ""
            while after is not None and may_continue():
                after = check_page(report, after)
            report.unchecked |= after is not None
        if repair:
            self._repair(report, may_continue)
        return report

    def _check_bus(self) -> list[Finding]:
        if self.bus is None or self.bus.exists():
            return []
        detail = "the outbound event bus does not exist: events would be lost unseen"
        return [Finding(FindingKind.EVENT_BUS_MISSING, None, detail)]

    def _recount(self, report: AuditReport, after: str) -> str | None:
        """Recount a page; return the id after which the next one begins."""
        findings, last = self.audit_reader.recount(self.window, after, PAGE)
        report.findings.extend(findings)
        return last

    def _compare(self, report: AuditReport, after: str, *, repair: bool) -> str | None:
        """Compare a page of open batches with Redis; return the id after which the next one begins."""
        batch_ids = self.audit_reader.idle_open(IDLE, after, MAX_SLOTS)
        if not batch_ids:
            return None
        now = self.clock.now()
        # Redis first: what is idle in Postgres afterwards was not changed between the two reads.
        views = dict(zip(batch_ids, self.inspector.inspect(batch_ids), strict=True))
        snapshots = self.audit_reader.idle_snapshots(IDLE, batch_ids)
        report.batches += len(snapshots)
        found = {
            snapshot.batch.batch_id: finding
            for snapshot in snapshots
            if (finding := compare(snapshot, views[snapshot.batch.batch_id], now))
        }
        report.findings.extend(found.values())
        if found and repair:
            wrong = [snapshot for snapshot in snapshots if snapshot.batch.batch_id in found]
            self.coordinator.install([_update(snapshot, views) for snapshot in wrong], now)
            report.repaired.extend(found.values())
        return batch_ids[-1]

    def _repair(self, report: AuditReport, may_continue: MayContinue) -> None:
        """Do what the sweep and the relay should have done. Counts and digests need a person's judgement."""
        needed = {finding.kind.repair for finding in report.findings}
        if Repair.SWEEP in needed:
            report.sweep = self.sweep().run(may_continue)
            closed = {one.batch.batch_id for one in report.sweep.closed}
            report.repaired.extend(
                finding
                for finding in report.findings
                if finding.kind.repair is Repair.SWEEP and finding.batch_id in closed
            )
        if Repair.RELAY in needed:
            report.relay = self.relay().run(may_continue)
            if not report.relay.unsent and not report.relay.faults:
                report.repaired.extend(one for one in report.findings if one.kind.repair is Repair.RELAY)


def _update(
    snapshot: BatchSnapshot, views: Mapping[str, CoordinatorView | UnreadableView | None]
) -> CoordinatorUpdate:
    """Return what to write, replacing a version of Redis that cannot be true."""
    view = views[snapshot.batch.batch_id]
    is_lie = isinstance(view, CoordinatorView) and view.version > snapshot.batch.version
    return CoordinatorUpdate(snapshot, view.version if is_lie and isinstance(view, CoordinatorView) else None)
