"""The judge of the chaos runs has teeth: whatever is wrong in the ledger is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from dev.chaos.consumer import Heard
from dev.chaos.reconciliation import Ledger, Record
from dev.chaos.workload import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = {"batch_id": "b", "status": "ready", "expected_count": 2, "assigned_count": 1, "failed_count": 1}
READY = {
    "batch_id": "b",
    "ready_essays": [{"essay_id": "s1", "text_storage_id": "t1"}],
    "assigned_count": 1,
    "failed_count": 1,
    "digest": hashlib.sha256(b"s1 t1\n").hexdigest(),
}
ASSIGNED = {"batch_id": "b", "assignments": [{"essay_id": "s1", "text_storage_id": "t1"}]}
EXCESS = {"batch_id": "b", "text_storage_id": "t2"}
POISON = {"Body": "poison-000", "MessageAttributes": {"error_code": {}}}


def record() -> Record:
    return Record(
        batches={"b": dict(BATCH)},
        assigned={"b": {"t1": "s1"}},
        failed={"b": {"upload:u1": "s2"}},
        excess={"b": frozenset({"t2"})},
        slots={"b": [("s1", "assigned"), ("s2", "failed")]},
        parked=0,
        outbox=0,
    )


def heard() -> dict[str, Heard]:
    return {
        "1": Heard("BatchEssaysReady", dict(READY)),
        "2": Heard("EssaySlotsAssigned", dict(ASSIGNED)),
        "3": Heard("ExcessContentProvisioned", dict(EXCESS)),
        "4": Heard("BatchRegistrationRejected", {"batch_id": "b"}),
    }


@dataclass
class Case:
    """A ledger in balance, to be put out of it."""

    plan: Plan
    heard: dict[str, Heard]
    record: Record
    left: dict[str, int]
    dead: list[dict[str, Any]]

    def breaches(self) -> set[str]:
        ledger = Ledger([self.plan], ["poison-000"], self.heard, self.record, self.left, self.dead)
        return {name for name, wrong in ledger.breaches().items() if wrong}


@pytest.fixture
def case() -> Case:
    plan = Plan(
        "b", "kind", [{}, {}], ["t1", "t2"], ["upload:u1"], may_become=frozenset({"ready"})
    )  # two registrations: one stands
    return Case(plan, heard(), record(), {"provision": 0}, [dict(POISON)])


def test_a_ledger_in_balance_has_no_breach(case: Case) -> None:
    assert case.breaches() == set()


def change(**fields: Any) -> Callable[[Case], None]:
    def put(case: Case) -> None:
        case.record = replace(case.record, **fields)

    return put


WRONGS: dict[str, Callable[[Case], object]] = {
    "a content without an outcome": lambda case: case.plan.contents.append("t3"),
    "a failure without an outcome": lambda case: case.plan.failures.append("upload:u2"),
    "an arrival that nobody announced": lambda case: case.plan.contents.remove("t2"),
    "two outcomes of one content": change(excess={"b": frozenset({"t1", "t2"})}),
    "a batch without a row": change(batches={}),
    "a batch that did not end": change(batches={"b": BATCH | {"status": "open"}}),
    "counts that are not the rows": change(batches={"b": BATCH | {"failed_count": 0}}),
    "a slot that another content owns": change(assigned={"b": {"t1": "s2"}}),
    "something parked": change(parked=1),
    "something unsent": change(outbox=1),
    "no terminal event": lambda case: case.heard.pop("1"),
    "two terminal events": lambda case: case.heard.update({"5": Heard("BatchEssaysReady", dict(READY))}),
    "a second kind of end": lambda case: case.heard.update(
        {"5": Heard("BatchReadinessTimeout", dict(READY))}
    ),
    "a repetition that says something else": lambda case: setattr(case.heard["1"], "is_steady", False),
    "another ready list": lambda case: case.heard["1"].data.update(ready_essays=[]),
    "another digest": lambda case: case.heard["1"].data.update(digest="0"),
    "an assignment that was not announced": lambda case: case.heard.pop("2"),
    "an assignment announced twice": lambda case: case.heard.update(
        {"5": Heard("EssaySlotsAssigned", dict(ASSIGNED))}
    ),
    "an excess content that was not announced": lambda case: case.heard.pop("3"),
    "a rejection that was not announced": lambda case: case.heard.pop("4"),
    "a message left in a queue": lambda case: case.left.update(provision=1),
    "a good message that is dead": lambda case: case.dead.append({"Body": "good"}),
    "poison without its reason": lambda case: case.dead[0].pop("MessageAttributes"),
    "poison that is lost": lambda case: case.dead.clear(),
}


@pytest.mark.parametrize("what", WRONGS)
def test_what_is_wrong_is_found(case: Case, what: str) -> None:
    WRONGS[what](case)
    assert case.breaches()
