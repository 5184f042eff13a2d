"""What an audit says of Redis is true, whatever runs beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from els_core.domain.audit import IDLE, CoordinatorView, FindingKind, compare
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    RegistrationDetails,
    Status,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROLL = BatchSnapshot(
    Batch("b", Status.OPEN, version=5, expected_count=4),
    RegistrationDetails("ENG5", "teacher", "correlation", 60),
    ("free-1", "free-2"),
    (AssignedSlot("used", "text", "a.txt"),),
    (RecordedFailure("upload:f", "failed", "b.txt", "EMPTY_CONTENT"),),
)
RIGHT = CoordinatorView(3, frozenset(ROLL.available), {"content:text": "used", "upload:f": "failed"})
OLD = (NOW - IDLE).timestamp()


def kind(known: CoordinatorView | None) -> FindingKind | None:
    finding = compare(ROLL, known, NOW)
    return finding.kind if finding else None


def test_redis_that_agrees_is_right_although_it_knows_an_older_version() -> None:
    assert kind(RIGHT) is None


def test_redis_that_knows_nothing_has_forgotten_and_the_batch_is_named() -> None:
    finding = compare(ROLL, None, NOW)
    assert finding is not None
    assert (finding.kind, finding.batch_id, finding.correlation_id) == (
        FindingKind.REDIS_FORGOT,
        "b",
        "correlation",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, available=RIGHT.available | {"used"}),
        replace(RIGHT, slot_by_identity={"upload:f": "failed"}),
        replace(RIGHT, slot_by_identity={"content:text": "used"}),
        replace(RIGHT, slot_by_identity={"content:text": "failed", "upload:f": "used"}),
    ],
    ids=["offers a used slot", "forgot a content", "forgot a failure", "mixed them up"],
)
def test_redis_that_is_wrong_about_a_used_slot_differs(wrong: CoordinatorView) -> None:
    assert kind(wrong) is FindingKind.REDIS_DIFFERS


def test_a_batch_that_moved_on_since_it_was_read_is_left_alone() -> None:
    assert kind(CoordinatorView(6, frozenset({"used"}), {})) is None


@pytest.mark.parametrize(
    ("proposed_at", "found"),
    [(OLD, FindingKind.UNCOMMITTED_PROPOSALS), (None, FindingKind.UNCOMMITTED_PROPOSALS), (OLD + 1, None)],
)
def test_only_a_proposal_older_than_any_invocation_was_never_committed(
    proposed_at: float | None, found: FindingKind | None
) -> None:
    held = {**RIGHT.slot_by_identity, "content:died": "free-1"}
    assert (
        kind(replace(RIGHT, available=frozenset({"free-2"}), slot_by_identity=held, proposed_at=proposed_at))
        is found
    )
