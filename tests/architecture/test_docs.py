"""Whatever the documents mention exists: links, files, commands, variables, settings."""

from __future__ import annotations

import ast
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from dev.programs.process import run_to_end
from els_core.settings import Settings
from tests.architecture.documents import PAGES, Page, tables
from tests.architecture.project import CORE, parse

MAX_COLUMNS = 120
FOLDERS = ("benchmarks", "dev", "docs", "els", "events", "functions", "layers", "migrations", "tests", "web")
ROOMS = ("adapters", "application", "contracts", "domain")
# The function that the recipe for a new one takes as its example.
FICTIONAL = "close_batch"
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=str)
# Files that are no pages and whose whole text is code.
OTHERS = [*Path(".github").rglob("*.*"), Path(".ci/run"), Path(".devcontainer/devcontainer.json")]


def words(text: str) -> list[str]:
    """Return the words of code, without the punctuation around them."""
    return [word.strip("\"',;()") for word in text.split()]


def looks_like_a_path(word: str) -> bool:
    first, _, rest = word.partition("/")
    is_file = re.fullmatch(r"\.?[\w-]+\.(json|lua|md|py|toml|txt|yaml|yml)", word) is not None
    return bool(rest and first in (*FOLDERS, *ROOMS, ".github", ".ci")) or is_file


def exists(word: str) -> bool:
    pattern = re.sub(r"<\w+>", "*", word.rstrip("/"))
    return any(True for root in (Path(), CORE, Path("dev")) for _ in root.glob(pattern))


def targets() -> dict[str, str]:
    """Return the recipe of each target of the Makefile."""
    rules = re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)*)", Path("Makefile").read_text("utf-8"), re.MULTILINE)
    return dict(rules)


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        path = page.path.parent / target if target else page.path
        assert path.exists(), link
        assert not anchor or anchor in Page(path).anchors, link


@EVERY_PAGE
def test_every_reference_is_defined_and_every_definition_is_used(page: Page) -> None:
    assert page.references == set(page.definitions)


@EVERY_PAGE
def test_every_file_and_folder_exists(page: Page) -> None:
    named = {word for line in page.code for word in words(line) if looks_like_a_path(word)}
    assert {word for word in named if not exists(word) and FICTIONAL not in word} == set()


@pytest.mark.parametrize("source", [*PAGES, *OTHERS], ids=str)
def test_every_make_target_and_its_variables_exist(source: Page | Path) -> None:
    code = "\n".join(source.code) if isinstance(source, Page) else source.read_text("utf-8")
    recipes = targets()
    for target, variables in re.findall(r"\bmake ([a-z][a-z-]*)((?: [A-Z]+=\S+)*)", code):
        assert target in recipes, target
        for variable in re.findall(r"([A-Z]+)=", variables):
            assert f"$({variable})" in recipes[target], f"{target} {variable}"


def test_make_help_lists_every_command_in_80_columns() -> None:
    listed = run_to_end(["make", "--no-print-directory", "help"], 10, cwd=Path(), environment=os.environ)
    assert set(re.findall(r"^  make ([a-z-]+)", listed, re.MULTILINE)) == targets().keys() - {"install"}
    assert [line for line in listed.splitlines() if len(line) > 80] == []


def test_the_workflows_run_targets_that_exist() -> None:
    workflow = Path(".github/workflows/check.yml").read_text("utf-8")
    run = [target for line in re.findall(r"targets: (.+)", workflow) for target in line.split()]
    assert run
    assert set(run) <= set(targets())


@EVERY_PAGE
def test_every_program_and_module_is_installed(page: Page) -> None:
    code = "\n".join(page.code)
    for program in re.findall(r"\.venv/bin/(\w+)", code):
        assert Path(sys.prefix, "bin", program).exists(), program
    for module in re.findall(r"python -m (\w[\w.]*)", code):
        assert find_spec(module), module


@EVERY_PAGE
def test_every_setting_is_one_that_is_read(page: Page) -> None:
    read = {field.alias for field in Settings.model_fields.values()}
    assert set(re.findall(r"\bELS_[A-Z_]+[A-Z]\b", page.text)) <= read


@EVERY_PAGE
def test_lines_wrap_at_120_columns(page: Page) -> None:
    is_readme = page.path == Path("README.md")
    lines = [line for line in page.prose.splitlines() if is_readme or not line.startswith("|")]
    # An address cannot be wrapped.
    assert [line for line in lines if len(re.sub(r"https://\S+", "", line)) > MAX_COLUMNS] == []


def test_every_invariant_has_its_section() -> None:
    [catalogue] = [
        node for node in ast.walk(parse(Path("dev/invariants/catalogue.py"))) if isinstance(node, ast.Dict)
    ]
    numbers = [key.value for key in catalogue.keys if isinstance(key, ast.Constant)]
    sections = Page(Path("docs/invariants.md")).sections("## ")
    assert [int(heading.partition(".")[0]) for heading in sections] == numbers
    for heading, text in sections.items():
        assert "**Why it holds**" in text, heading
        assert "`tests/" in text.partition("**Shown by**")[2], heading


def test_the_glossary_has_fewer_than_ten_words_of_this_project() -> None:
    [own] = [table for head, table in tables(Page(Path("docs/glossary.md")).text).items() if head == "word"]
    assert 0 < len(own) < 10


def test_every_decision_is_listed_under_its_number() -> None:
    folder = Path("docs/decisions")
    listed = dict(
        re.findall(r"^\| \[(\d+)\]\((\S+)\) \|", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    )
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert sorted(listed.values()) == files
    for number, name in listed.items():
        title = (folder / name).read_text("utf-8").splitlines()[0]
        assert name.startswith(f"{int(number):04}-")
        assert title.startswith(f"# {number}. ")
