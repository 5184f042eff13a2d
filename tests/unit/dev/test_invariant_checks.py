"""The judge finds every violation: evidence in order has none, tampered evidence has the expected one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dev.invariants.catalogue import INVARIANTS
from dev.invariants.checks import _AT_EVERY_INSTANT, _WHEN_QUIESCENT, violations
from dev.invariants.derivations import digest, event_id
from dev.invariants.evidence import BatchEvidence, Evidence
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import (
    AssignedSlot,
    Batch,
    BatchSnapshot,
    RecordedFailure,
    Registration,
    RegistrationDetails,
    Status,
)
from els_core.domain.events import OutboxMessage
from els_core.domain.outcomes import Reason

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DETAILS = RegistrationDetails("ENG5", "teacher", "correlation", 3_600)
REGISTRATION = Registration("b", ("s1", "s2"), DETAILS, "fingerprint")
REJECTED = Registration("b", ("s1",), DETAILS, "other")
SENT = (
    Content("b", "t1", "raw", "a.txt", 1, "correlation"),
    Content("b", "t2", "raw", "b.txt", 1, "correlation"),
    Failure("b", "e", "raw", "c.txt", 1, "EMPTY_CONTENT", "empty", "correlation", file_upload_id="u1"),
)
READY = {
    "expected_count": 2,
    "assigned_count": 1,
    "failed_count": 1,
    "digest": digest([("s1", "t1")]),
    "lists_omitted": False,
    "ready_essays": [{"essay_id": "s1", "text_storage_id": "t1"}],
}
ASSIGNED = {"assignments": [{"essay_id": "s1", "text_storage_id": "t1"}]}
EXCESS = {"text_storage_id": "t2"}


def message(detail_type: str, data: dict[str, Any], *parts: str) -> OutboxMessage:
    return OutboxMessage(
        event_id("b", detail_type, *parts), "b", detail_type, json.dumps({"data": {"batch_id": "b", **data}})
    )


def in_order() -> Evidence:
    """Return a ready batch of two slots: one assigned, one failed, one excess content, one rejection."""
    row = Batch("b", Status.READY, 4, 2, 1, 1, NOW + timedelta(hours=1), "fingerprint")
    failure = RecordedFailure("upload:u1", "s2", "c.txt", "EMPTY_CONTENT", "u1")
    snapshot = BatchSnapshot(row, DETAILS, (), (AssignedSlot("s1", "t1", "a.txt"),), (failure,))
    batch = BatchEvidence(snapshot, excess={"t2": Reason.NO_AVAILABLE_SLOT})
    received = (
        message("EssaySlotsAssigned", ASSIGNED, "2"),
        message("ExcessContentProvisioned", EXCESS, "content:t2"),
        message("BatchEssaysReady", READY),
        message("BatchRegistrationRejected", {}, "other"),
    )
    return Evidence(NOW, (REGISTRATION, REJECTED), SENT, {"b": batch}, (), received)


type Tampering = Callable[[Evidence], Evidence]


def row(**fields: Any) -> Tampering:
    """Change the row of the batch."""
    return lambda evidence: snapshot(batch=replace(evidence.batches["b"].batch, **fields))(evidence)


def snapshot(**fields: Any) -> Tampering:
    """Change what the batch holds."""
    return lambda evidence: batch(snapshot=replace(evidence.batches["b"].snapshot, **fields))(evidence)


def batch(**fields: Any) -> Tampering:
    """Change what Postgres holds of the batch."""
    return lambda evidence: replace(evidence, batches={"b": replace(evidence.batches["b"], **fields)})


def more(*messages: OutboxMessage) -> Tampering:
    """Receive more events."""
    return lambda evidence: replace(evidence, received=(*evidence.received, *messages))


def without(detail_type: str) -> Tampering:
    """Receive no event of one type."""
    return lambda evidence: replace(
        evidence, received=[m for m in evidence.received if m.detail_type != detail_type]
    )


def instead(*messages: OutboxMessage) -> Tampering:
    """Receive other events of the same types."""

    def tamper(evidence: Evidence) -> Evidence:
        for each in messages:
            evidence = without(each.detail_type)(evidence)
        return more(*messages)(evidence)

    return tamper


def ready(**fields: Any) -> OutboxMessage:
    return message("BatchEssaysReady", READY | fields)


def overdue(version: str) -> OutboxMessage:
    return message("ParkedContentOverdue", {"arrivals": [{"identity": "content:t2"}]}, version)


def unsent(detail_type: str) -> Tampering:
    """Leave the events of one type in the outbox."""
    return lambda evidence: replace(
        without(detail_type)(evidence),
        outbox=[m for m in evidence.received if m.detail_type == detail_type],
    )


AWAITED = BatchEvidence(BatchSnapshot(Batch("b", Status.AWAITED, 1)), parked=frozenset({"content:t1"}))

# The invariant, what the judge says of the evidence, and how it was tampered with.
TAMPERING: list[tuple[int, str, Tampering]] = [
    (1, "its slots are ['s3', 's1', 's2']", snapshot(available=("s3",))),
    (1, "its slots are ['s1', 's1', 's2']", snapshot(available=("s1",))),
    (1, "it was never registered and has slots", row(status=Status.AWAITED)),
    (1, "its counts are (2, 1), its rows (1, 1)", row(assigned_count=2)),
    (1, "it expects 3 slots and has 2", row(expected_count=3)),
    (2, "content:t1 is superseded and owns a slot", batch(superseded=frozenset({"content:t1"}))),
    (
        2,
        "content t1 owns 2 slots",
        snapshot(assigned=(AssignedSlot("s1", "t1", ""), AssignedSlot("s2", "t1", ""))),
    ),
    (2, "content t1 is excess and owns a slot", batch(excess={"t1": Reason.NO_AVAILABLE_SLOT})),
    (2, "content t1 was announced with", snapshot(assigned=(AssignedSlot("s9", "t1", ""),))),
    (
        3,
        "it is ready and announced ['BatchEssaysReady', 'BatchR",
        more(message("BatchReadinessTimeout", READY)),
    ),
    (3, "it is open and announced ['BatchEssaysReady']", row(status=Status.OPEN)),
    (3, "announced the epochs [1, 2]", more(message("BatchEssaysReady", READY | {"epoch": 2}, "2"))),
    (5, "it is ready with 0 different terminal events", row(epoch=2)),
    (
        5,
        "it has left epoch 1 with 0 different",
        lambda evidence: row(epoch=2)(without("BatchEssaysReady")(evidence)),
    ),
    (5, "its terminal event of epoch 1 follows x", instead(ready(previous_event_id="x"))),
    (5, "its terminal event lists ['s9'] as withdrawn", instead(ready(withdrawn_essay_ids=["s9"]))),
    (4, "every slot is used and it is open", row(status=Status.OPEN)),
    (4, "every slot is used and it is failed", row(status=Status.FAILED)),
    (4, "it is ready with 0 slots free", row(expected_count=3)),
    (5, "it is ready with 0 different terminal events", without("BatchEssaysReady")),
    (5, "it is ready with 2 different terminal events", more(ready(failed_count=0))),
    (5, "its terminal event has the id", instead(message("BatchEssaysReady", READY, "again"))),
    (5, "its terminal event counts (2, 2, 1)", instead(ready(assigned_count=2))),
    (5, "the digest of its terminal event", instead(ready(digest=digest([("s2", "t1")])))),
    (5, "its terminal event lists []", instead(ready(ready_essays=[]))),
    (5, "no consumer received its terminal event", unsent("BatchEssaysReady")),
    (6, "content t1 was announced 0 times", without("EssaySlotsAssigned")),
    (6, "content t1 was announced 2 times", more(message("EssaySlotsAssigned", ASSIGNED, "3"))),
    (6, "excess is ['t2'], announced was {}", without("ExcessContentProvisioned")),
    (6, "content:t2 was announced as overdue 2 times", more(overdue("1"), overdue("2"))),
    (6, "['EssaySlotsAssigned'] are still in the outbox", unsent("EssaySlotsAssigned")),
    (6, "1 registrations were rejected, announced were 0", without("BatchRegistrationRejected")),
    (7, "content:t1 has 2 outcomes", batch(parked=frozenset({"content:t1"}))),
    (7, "content:t9 was never sent", batch(excess={"t9": Reason.NO_AVAILABLE_SLOT})),
    (7, "['content:t9'] are still parked", batch(parked=frozenset({"content:t9"}))),
    (7, "content:t2 has no outcome", batch(excess={})),
    (7, "its registration was lost", lambda evidence: replace(evidence, batches={"b": AWAITED})),
    (7, "Postgres has no row", lambda evidence: replace(evidence, batches={})),
    (9, "t2 found no slot, and it is open", row(status=Status.OPEN)),
    (9, "upload:u1 was too late, and it is ready", batch(late={"upload:u1": Reason.BATCH_TIMED_OUT})),
    (9, "upload:u1 came after it was cancelled", batch(late={"upload:u1": Reason.BATCH_CANCELLED})),
    (12, "it timed out before its deadline", row(status=Status.TIMED_OUT)),
    (12, "it is still open after its deadline", row(status=Status.OPEN, deadline=NOW)),
]


def violated(evidence: Evidence, *, is_quiescent: bool = True) -> set[int]:
    return {violation.invariant for violation in violations(evidence, is_quiescent=is_quiescent)}


def test_evidence_in_order_has_no_violation() -> None:
    assert violated(in_order()) == set()


def test_an_event_that_is_delivered_twice_is_no_violation() -> None:
    assert violated(more(*in_order().received)(in_order())) == set()


@pytest.mark.parametrize(("number", "detail", "tamper"), TAMPERING, ids=[f"{n} {d}" for n, d, _ in TAMPERING])
def test_tampered_evidence_is_found(number: int, detail: str, tamper: Tampering) -> None:
    found = violations(tamper(in_order()), is_quiescent=True)
    assert [each for each in found if each.invariant == number and detail in each.detail]


def test_checks_that_need_quiescence_run_only_when_nothing_is_in_flight() -> None:
    in_flight = replace(without("BatchRegistrationRejected")(in_order()), outbox=in_order().received[2:3])
    assert violated(in_flight, is_quiescent=False) == set()
    assert violated(in_flight) == {6}


def test_every_check_has_a_number_of_the_catalogue_and_is_tried() -> None:
    numbers = {number for number, _ in (*_AT_EVERY_INSTANT, *_WHEN_QUIESCENT)}
    assert numbers <= set(INVARIANTS)
    assert {number for number, _, _ in TAMPERING} == numbers


def test_a_violation_names_batch_and_invariant() -> None:
    [violation] = violations(instead(ready(ready_essays=[]))(in_order()), is_quiescent=True)
    assert str(violation) == (f"batch b: its terminal event lists []; violates invariant 5 ({INVARIANTS[5]})")
