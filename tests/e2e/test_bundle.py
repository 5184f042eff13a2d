"""The bundle has everything that a function needs, for a local AWS that does not apply layers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from dev.deploy.bundle import BUNDLED, FUNCTION, LAYER, bundle

# Isolated and without site: nothing but the standard library and the bundle is importable.
IMPORT = """
import sys
sys.path.insert(0, sys.argv[1])
import handler, els_core
assert callable(handler.handle)
print(els_core.__file__)
"""


@pytest.fixture(scope="module", autouse=True)
def bundled() -> None:
    bundle()


def resources() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((BUNDLED / "template.yaml").read_text())["Resources"]
    return found


def test_every_handler_imports_from_its_bundle_alone() -> None:
    functions = [name for name, resource in resources().items() if resource["Type"] == FUNCTION]
    assert len(functions) == 8
    for name in functions:
        command = [sys.executable, "-I", "-S", "-c", IMPORT, str(BUNDLED / name)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd="/")
        assert finished.stdout.startswith(str(BUNDLED / name)), finished.stderr


def test_the_function_that_runs_the_migrations_has_them() -> None:
    migrations = BUNDLED / "MigrateDatabaseFunction" / "migrations"
    assert (migrations / "tables.py").exists()
    assert list((migrations / "versions").glob("0001_*.py"))


def test_no_layer_is_left_and_no_resource_refers_to_one() -> None:
    text = (BUNDLED / "template.yaml").read_text()
    assert LAYER not in text
    assert "Layers" not in text
    assert "Ref: CoreLayer" not in text
