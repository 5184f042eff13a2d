"""What an audit reports about Redis is true, whatever runs at the same time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from els_core.domain.audit import IDLE, CoordinatorView, FindingKind, Repair, UnreadableView, compare
from tests.factories import CORRELATION, NOW, batch, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

A, B, C, D = "essay-0000", "essay-0001", "essay-0002", "essay-0003"
# In Postgres a content has slot A, a failure slot B; C and D are free.
SNAPSHOT = replace(snapshot(4, assigned=["text"], failed=["f"]), batch=replace(batch(slots=4), version=5))
USED = {"content:text": A, "upload:f": B}
OLD = (NOW - IDLE).timestamp()


def found(
    available: Iterable[str] = (C, D),
    used: Mapping[str, str] = USED,
    proposed_at: float | None = None,
    version: int = 3,
) -> FindingKind | None:
    """Return what the comparison finds when Redis has these slots."""
    finding = compare(SNAPSHOT, CoordinatorView(version, frozenset(available), used, proposed_at), NOW)
    return finding.kind if finding else None


def test_an_older_version_with_the_right_slots_is_no_finding() -> None:
    assert found(version=3) is None


def test_an_unknown_batch_is_reported_with_its_id_and_correlation() -> None:
    finding = compare(SNAPSHOT, None, NOW)
    assert finding is not None
    assert finding.kind is FindingKind.REDIS_FORGOT
    assert (finding.batch_id, finding.correlation_id) == ("b", CORRELATION)


@pytest.mark.parametrize(
    ("available", "used"),
    [
        ((A, C, D), USED),
        ((C, D), {"upload:f": B}),
        ((C, D), {"content:text": A}),
        ((C, D), {"content:text": B, "upload:f": A}),
    ],
    ids=["a used slot is free", "a content is missing", "a failure is missing", "two slots are swapped"],
)
def test_a_wrong_answer_about_a_used_slot_is_reported(
    available: tuple[str, ...], used: dict[str, str]
) -> None:
    assert found(available, used) is FindingKind.REDIS_DIFFERS


@pytest.mark.fault(29)
def test_a_version_greater_than_that_of_postgres_is_wrong() -> None:
    assert found(available=[A], used={}, version=6) is FindingKind.REDIS_DIFFERS


@pytest.mark.fault(29)
def test_an_unreadable_view_is_wrong() -> None:
    finding = compare(SNAPSHOT, UnreadableView(), NOW)
    assert finding is not None
    assert finding.kind is FindingKind.REDIS_DIFFERS


@pytest.mark.parametrize(
    ("proposed_at", "kind"),
    [(OLD, FindingKind.UNCOMMITTED_PROPOSALS), (None, FindingKind.UNCOMMITTED_PROPOSALS), (OLD + 1, None)],
)
def test_a_proposal_is_uncommitted_only_when_it_is_older_than_any_invocation(
    proposed_at: float | None, kind: FindingKind | None
) -> None:
    assert found([D], {**USED, "content:proposed": C}, proposed_at) is kind


REPAIRS = {
    FindingKind.OVERDUE_OPEN: Repair.SWEEP,
    FindingKind.PARKED_TOO_LONG: Repair.PERSON,
    FindingKind.OUTBOX_TOO_OLD: Repair.RELAY,
    FindingKind.COUNTS_DIFFER: Repair.PERSON,
    FindingKind.DIGEST_DIFFERS: Repair.PERSON,
    FindingKind.REDIS_FORGOT: Repair.INSTALL,
    FindingKind.REDIS_DIFFERS: Repair.INSTALL,
    FindingKind.UNCOMMITTED_PROPOSALS: Repair.INSTALL,
    FindingKind.EVENT_BUS_MISSING: Repair.PERSON,
}


@pytest.mark.parametrize("kind", FindingKind)
def test_every_kind_of_finding_says_who_repairs_it(kind: FindingKind) -> None:
    assert kind.repair is REPAIRS[kind]
