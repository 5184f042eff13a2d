"""The header of a Lua script describes exactly what its body does."""

from __future__ import annotations

import re

import pytest

from tests.architecture.project import CORE

SCRIPTS = {path.stem: path.read_text("utf-8") for path in sorted((CORE / "adapters/redis/scripts").iterdir())}


def halves(name: str) -> tuple[str, str]:
    """Return the header, which is the comment that opens the file, and the body."""
    header, _, body = SCRIPTS[name].partition("\n\n")
    assert all(line.startswith("--") for line in header.splitlines())
    return header, body


def used(body: str, kind: str) -> set[int]:
    """Return the positions of KEYS or ARGV that the body uses, including those of its loops."""
    places = {int(number) for number in re.findall(rf"\b{kind}\[(\d+)\]", body)}
    for variable, first, last in re.findall(r"for (\w+) = (\d+), (\d+) do", body):
        if f"{kind}[{variable}]" in body:
            places |= set(range(int(first), int(last) + 1))
    return places


@pytest.mark.fault(17)
@pytest.mark.parametrize("kind", ["KEYS", "ARGV"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_declares_exactly_the_keys_and_arguments_that_it_uses(name: str, kind: str) -> None:
    header, body = halves(name)
    declared = [int(number) for number in re.findall(rf"^-- {kind}\[(\d+)\] ", header, re.MULTILINE)]
    assert declared == list(range(1, len(declared) + 1))
    assert used(body, kind) == set(declared)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_key_is_declared_with_its_type(name: str) -> None:
    header, _ = halves(name)
    keys = re.findall(r"^-- KEYS\[\d+\] (\w+)", header, re.MULTILINE)
    assert set(keys) <= {"SET", "HASH", "STRING"}
    assert len(keys) == header.count("KEYS[")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_header_lists_exactly_the_replies_of_its_script(name: str) -> None:
    header, body = halves(name)
    promised = re.findall(r'"([a-z]+)[ "]', header[header.index("Returns") :])
    answers = " ".join(re.findall(r"(?:return|answers\[i \+ 1\] =) (.*'.*)$", body, re.MULTILINE))
    said = {word.strip() for word in re.findall(r"'([a-z]+ ?)'", answers)} - {"content"}
    assert said == set(promised)


@pytest.mark.fault(17)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_uses_only_declared_keys_and_no_clock(name: str) -> None:
    _, body = halves(name)
    keys = re.findall(r"redis\.call\('[A-Z]+', ([^,)]+)", body)
    assert keys
    assert {key for key in keys if not re.fullmatch(r"KEYS\[\w+\]|owners", key)} == set()
    assert "'TIME'" not in body
