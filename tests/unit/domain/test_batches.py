"""What a batch knows of itself: terminal or not, full or not, its failures and its digest."""

from __future__ import annotations

from hashlib import sha256

import pytest

from els_core.domain.batches import AssignedSlot, Status, digest_of
from tests.factories import batch

TERMINAL = {
    Status.AWAITED: False,
    Status.OPEN: False,
    Status.READY: True,
    Status.FAILED: True,
    Status.TIMED_OUT: True,
    Status.CANCELLED: True,
}


@pytest.mark.parametrize("status", Status)
def test_every_status_is_terminal_or_not(status: Status) -> None:
    assert status.is_terminal is TERMINAL[status]


@pytest.mark.parametrize(
    ("assigned", "failed", "is_full"),
    [(0, 0, False), (1, 1, False), (3, 0, True), (0, 3, True), (2, 1, True)],
)
def test_a_batch_is_full_when_contents_and_failures_use_every_slot(
    assigned: int, failed: int, *, is_full: bool
) -> None:
    assert batch(slots=3, assigned=assigned, failed=failed).is_full is is_full


def test_the_digest_is_the_sha_256_of_the_sorted_assignments() -> None:
    slots = [AssignedSlot("essay-2", "text-2", "2.txt"), AssignedSlot("essay-1", "text-1", "1.txt")]
    assert digest_of(slots) == sha256(b"essay-1 text-1\nessay-2 text-2\n").hexdigest()


def test_the_digest_depends_neither_on_the_order_nor_on_file_names() -> None:
    one, two = AssignedSlot("essay-1", "text-1", "1.txt"), AssignedSlot("essay-2", "text-2", "2.txt")
    renamed = AssignedSlot("essay-1", "text-1", "other.txt")
    assert digest_of([one, two]) == digest_of([two, renamed])
    assert digest_of([one]) != digest_of([one, two])
