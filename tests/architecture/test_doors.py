"""One name opens every door: folder, use case, event, resource, composition root and test."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from els_core.bootstrap import Container
from tests.architecture.project import CORE, FUNCTIONS, names_in, parse, python_files, resources

# The migrations decide nothing, so an adapter runs them without a use case.
# `operator_api` is another door to the use case `steer_batch`.
WITHOUT_USE_CASE = {"migrate_database", "operator_api"}
# What use cases share; each other file of the application is the use case of its name.
# `announce_batch` and `erase_batches` are reached from the command line, `browse_batches` by a route.
SHARED = {
    "__init__",
    "announce_batch",
    "browse_batches",
    "budgets",
    "commands",
    "concerns",
    "decision_step",
    "erase_batches",
    "gauges",
    "message_consumer",
    "messages",
    "metrics",
    "post_commit",
    "sentences",
    "signals",
    "verdicts",
}
# Modules without behaviour of their own: constants, dataclasses, field types and models.
WITHOUT_UNIT_TEST = {
    "__init__",
    "answers",
    "budgets",
    "commands",
    "fields",
    "messages",
    "metrics",
    "outbound",
    "system_answers",
}
MAX_HANDLER_LINES = 40
LOGIC = (ast.If, ast.For, ast.While, ast.Try, ast.IfExp, ast.Match, ast.comprehension)


def camel(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def test_every_function_has_its_use_case_and_every_use_case_its_function() -> None:
    use_cases = {path.stem for path in (CORE / "application").glob("*.py")} - SHARED
    assert use_cases == set(FUNCTIONS) - WITHOUT_USE_CASE


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - WITHOUT_USE_CASE))
def test_the_use_case_is_a_class_of_the_same_name(function: str) -> None:
    classes = {
        node.name
        for node in parse(CORE / "application" / f"{function}.py").body
        if isinstance(node, ast.ClassDef)
    }
    assert camel(function) in classes


@pytest.mark.parametrize("room", ["domain", "application", "contracts"])
def test_every_module_has_its_unit_test_and_so_has_every_use_case(room: str) -> None:
    modules = {path.stem for path in (CORE / room).glob("*.py")} - WITHOUT_UNIT_TEST
    tests = {path.stem.removeprefix("test_") for path in Path("tests/unit", room).glob("test_*.py")}
    assert modules - tests == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_folder_with_one_file(function: str) -> None:
    kept = [path.name for path in Path("functions", function).iterdir() if path.name != "__pycache__"]
    assert kept == ["handler.py"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_composition_root_builds_what_the_handler_of_the_same_name_calls(function: str) -> None:
    assert callable(getattr(Container, function))
    assert function in set(names_in(Path("functions", function, "handler.py")))


def test_every_function_has_its_event_and_every_event_its_function() -> None:
    assert sorted(path.stem for path in Path("events").iterdir()) == FUNCTIONS
    for function in FUNCTIONS:
        assert isinstance(json.loads(Path("events", f"{function}.json").read_text("utf-8")), dict)


def test_every_function_has_its_resource_and_every_resource_its_function() -> None:
    found = {
        name: resource["Properties"]["CodeUri"]
        for name, resource in resources().items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert found == {f"{camel(function)}Function": f"functions/{function}/" for function in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_called_by_a_test(function: str) -> None:
    tests = [path for path in python_files("tests") if path.name.startswith("test_")]
    calling = [path for path in tests if "architecture" not in path.parts and function in set(names_in(path))]
    assert calling


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_has_no_logic(function: str) -> None:
    path = Path("functions", function, "handler.py")
    assert len(path.read_text("utf-8").splitlines()) <= MAX_HANDLER_LINES
    module = parse(path)
    assert (ast.get_docstring(module) or "").startswith("Trigger: ")
    found = [node for node in ast.walk(module) if isinstance(node, LOGIC)]
    assert found == []
