"""Names are standard terms: a home-made name that was replaced is not used again."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.architecture.project import OURS, parse, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What stood there, and what stands there now. Exact identifiers: `Change` forbids no `BatchChange`.
REPLACED = {
    "taking_in take_in TakenIn Intake intake": "message_consumer, MessageConsumer, consume",
    "Record": "QueueMessage",
    "Poison bury _bury undone come_back comes_back COMES_BACK": "PoisonMessage, dead letter, retry, retried",
    "Unit GatedUnit": "Transaction",
    "settling Settling Settled settle settled conclude": "decision_step, DecisionStep, Decision, decide",
    "delivering Delivery Delivering": "post_commit, PostCommit, publish",
    "forget FORGET": "delete_sent",
    "Roll roll rolls ROLL ROLLS roll_of": "BatchSnapshot, snapshot",
    "Standing standing STANDING": "LockedView, locked_view",
    "Change": "BatchChange",
    "Terms terms TERMS _TERMS": "RegistrationDetails, details",
    "Known": "CoordinatorView",
    "Fact Facts fact facts facts_of": "DomainEvent, domain_events",
    "Message": "QueueMessage, OutboxMessage",
    "Wire wire": "EventEncoder, encoder",
    "Ledger ledger": "AuditReader, Reconciliation",
    "suspects SUSPECTS": "find_stuck",
    "Inspector": "CoordinatorInspector",
    "Journal journal": "Telemetry",
    "Word": "ProposalKind",
    "Kind": "FindingKind",
    "agrees _unfold _again _touched": "coordinator_is_current, answer_each, with_next_version",
    "Service shell": "Container, cli",
    "tell_redis told_redis serve_bus name_batches": "refresh, publish, insert placeholders",
    "Act plays crew Killer misfortune": "Experiment, scenarios, worker_threads, process_killer, fault",
    "World world worlds": "Environment, environment",
    "Weather weather Story Mishap mishap": "fault schedule, trace log, fault",
    "Double Doubles doubles": "fakes",
    "bare_sql": "baseline",
}  # fmt: skip
OLD = {old: new for olds, new in REPLACED.items() for old in olds.split()}


def identifiers(path: Path) -> Iterator[str]:
    """Yield every name that a file defines or uses, and its own."""
    yield path.stem
    for node in ast.walk(parse(path)):
        match node:
            case (
                ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name))
            ):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.rpartition(".")[2]
                yield from name.split(".")


def test_no_replaced_name_is_used() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for path in python_files(*OURS):
        for name in set(identifiers(path)) & OLD.keys():
            found[path.as_posix()].add(f"{name}: say {OLD[name]}")
    assert found == {}


def test_an_old_name_would_be_found_wherever_it_stands(tmp_path: Path) -> None:
    for code in (
        "import els_core.ledger",
        "from x import Intake",
        "from x import y as journal",
        "class Roll: ...",
        "def settle(): ...",
        "def f(standing): ...",
        "f(terms=1)",
        "x.wire",
        "world = 1",
    ):
        path = tmp_path / "module.py"
        path.write_text(code, "utf-8")
        assert set(identifiers(path)) & OLD.keys(), code
