"""What the architecture tests read of the project."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE = Path("layers/els_core/els_core")
OURS = ("layers", "els", "functions", "migrations", "dev", "tests", "benchmarks")
FUNCTIONS = sorted(path.parent.name for path in Path("functions").glob("*/handler.py"))


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def names_in(path: Path) -> Iterator[str]:
    """Yield every name, attribute and text of a file."""
    for node in ast.walk(parse(path)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node)
        case yaml.MappingNode():
            return loader.construct_mapping(node)
    raise TypeError(f"{node} is no value of YAML")


_Template.add_multi_constructor("!", _plain)


def read_template(path: Path) -> dict[str, Any]:
    """Return a template with CloudFormation's short forms as plain values."""
    template: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=_Template)  # noqa: S506 - safe too
    return template


def resources(path: Path = Path("template.yaml")) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read_template(path)["Resources"]
    return found
