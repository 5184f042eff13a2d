"""Text patches of functions, applied in memory: callers keep the function object and run the patched code."""

from __future__ import annotations

import ast
import inspect
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Patch(NamedTuple):
    """A text that occurs exactly once in a module, inside a function, and the text that replaces it.

    Further lines of the new text are indented like the line of the old text.
    """

    module: str
    old: str
    new: str


@contextmanager
def applied(patches: Sequence[Patch]) -> Iterator[None]:
    """Apply the patches, and restore the functions afterwards."""
    replaced: list[tuple[FunctionType, CodeType]] = []
    try:
        for module in dict.fromkeys(patch.module for patch in patches):
            for function, code in _patched(module, [one for one in patches if one.module == module]):
                replaced.append((function, function.__code__))
                function.__code__ = code
        yield
    finally:
        for function, code in reversed(replaced):
            function.__code__ = code


def _patched(name: str, patches: Sequence[Patch]) -> list[tuple[FunctionType, CodeType]]:
    """Return the functions that the patches of a module change, each with its patched code."""
    module = import_module(name)
    path = str(module.__file__)
    original = source = Path(path).read_text("utf-8")
    tree = ast.parse(original)
    changed: set[str] = set()
    for _, old, new in patches:
        if original.count(old) != 1 or source.count(old) != 1:
            raise LookupError(f"{old!r} occurs {original.count(old)} times in {name}; quote what occurs once")
        line_number = original.count("\n", 0, original.index(old)) + 1
        line = original.splitlines()[line_number - 1]
        indentation = line[: len(line) - len(line.lstrip())]
        source = source.replace(old, new.replace("\n", "\n" + indentation))
        changed.add(_enclosing_function(tree, line_number))
    codes = dict(_codes(compile(source, path, "exec", dont_inherit=True)))
    return [(_function(module, qualified_name), codes[qualified_name]) for qualified_name in sorted(changed)]


def _enclosing_function(tree: ast.Module, line_number: int) -> str:
    """Return the qualified name of the outermost function that contains a line."""
    names: list[str] = []
    body: Sequence[ast.stmt] = tree.body
    while True:
        for node in body:
            is_around = node.lineno <= line_number <= (node.end_lineno or 0)
            if is_around and isinstance(node, ast.ClassDef | ast.FunctionDef):
                break
        else:
            raise LookupError(f"line {line_number} is in no function; only functions can be patched")
        names.append(node.name)
        if isinstance(node, ast.FunctionDef):
            return ".".join(names)
        body = node.body


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Yield the code of every function in it, with its qualified name."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _function(module: object, qualified_name: str) -> FunctionType:
    """Return a function of a module, without its decorators."""
    found: object = module
    for name in qualified_name.split("."):
        found = inspect.getattr_static(found, name)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, cached_property):
        found = found.func
    found = getattr(found, "__wrapped__", found)
    if not isinstance(found, FunctionType):
        raise TypeError(f"{qualified_name} is {found!r}, not a function that can be patched")
    return found
