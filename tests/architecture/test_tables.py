"""Every table over an enum or a union covers all its members, or says for each one why it is left out."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, StrEnum
from itertools import chain
from typing import Any

import pytest

from els_core.contracts.problems import ProblemCode
from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Status
from tests.architecture.project import CORE, parse, python_files

# Tables that cover some members only: every member of the enum, and whether the table has it.
PARTIAL: dict[str, dict[Any, bool]] = {
    "els_core.domain.events.TERMINAL_EVENT_TYPES": {
        Status.AWAITED: False,
        Status.OPEN: False,
        Status.READY: True,
        Status.FAILED: True,
        Status.TIMED_OUT: True,
        Status.CANCELLED: True,
    },
    # The rule says it for each member: what is no refusal concerns the request.
    "els_core.contracts.routes._REFUSALS": {code: code.is_refusal for code in ProblemCode},
}
KINDS_OF_ARRIVALS = {Content, Failure}

# `isinstance` with one kind of arrival is an "else" for all others. Places that still have one.
SPLITS_ARRIVALS: set[str] = set()


def constants() -> Iterator[tuple[str, object]]:
    """Yield the module-level values of the core that are assigned there, with their dotted names."""
    for path in python_files(str(CORE)):
        module = importlib.import_module(".".join(path.relative_to(CORE.parent).with_suffix("").parts))
        for node in parse(path).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Name) and hasattr(module, target.id):
                    yield f"{module.__name__}.{target.id}", getattr(module, target.id)


def rows_of(value: object) -> Iterator[list[object]]:
    """Yield the keys and the values of a mapping, or the items of another collection."""
    match value:
        case Mapping():
            yield list(value)
            yield list(value.values())
        case tuple() | list() | set() | frozenset():
            yield list(value)


def enum_of(row: Iterable[object]) -> type[Enum] | None:
    """Return the enum of the core that all these values are members of."""
    kinds = {type(value) for value in row}
    kind = kinds.pop() if len(kinds) == 1 else object
    return kind if issubclass(kind, Enum) and kind.__module__.startswith(CORE.name) else None


TABLES = [
    (name, kind, set(row)) for name, value in constants() for row in rows_of(value) if (kind := enum_of(row))
]


def test_the_tables_over_enums_are_found() -> None:
    assert {name for name, _, _ in TABLES} >= set(PARTIAL)


@pytest.mark.parametrize(("name", "kind", "members"), TABLES)
def test_a_table_over_an_enum_covers_every_member(name: str, kind: type[Enum], members: set[object]) -> None:
    expected = PARTIAL.get(name, dict.fromkeys(kind, True))
    assert set(expected) == set(kind), f"{name}: say for each member whether the table has it"
    assert members == {member for member, is_covered in expected.items() if is_covered}


ARRIVAL_TABLES = [
    (name, classes)
    for name, value in constants()
    for row in rows_of(value)
    if (classes := {one for one in row if inspect.isclass(one)}) & KINDS_OF_ARRIVALS
]


@pytest.mark.parametrize(("name", "classes"), ARRIVAL_TABLES)
def test_a_table_over_the_kinds_of_arrivals_covers_every_kind(name: str, classes: set[type]) -> None:
    assert classes >= KINDS_OF_ARRIVALS, name


def test_kinds_of_arrivals_are_distinguished_by_a_total_match() -> None:
    found = {
        path.relative_to(CORE).as_posix()
        for path in python_files(str(CORE))
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for name in ast.walk(node.args[1])
        if isinstance(name, ast.Name) and name.id in {kind.__name__ for kind in KINDS_OF_ARRIVALS}
    }
    assert found == SPLITS_ARRIVALS


ENUMS = {kind.__name__ for kind in StrEnum.__subclasses__() if kind.__module__.startswith(CORE.name)}


def test_members_are_distinguished_by_a_total_match_and_not_by_a_literal_collection() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in python_files(str(CORE))
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.In | ast.NotIn) for one in node.ops)
        for item in chain.from_iterable(getattr(one, "elts", ()) for one in node.comparators)
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id in ENUMS
    ]
    assert found == []
    assert {"Status", "Reason", "ProposalKind", "FindingKind", "ArrivalKind"} <= ENUMS
