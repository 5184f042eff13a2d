"""Where libraries for Linux do not run, the demo deploys a copy of the build with those of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from dev.deploy import host_build, sam
from dev.programs.tools import SHARED_LAYERS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# Isolated and without site: nothing but the standard library and the layer is importable.
IMPORT = """
import json, sys
sys.path[:0] = sys.argv[1:]
import els_core.bootstrap, pydantic_core
print(json.dumps([els_core.__file__, pydantic_core.__file__]))
"""


def libraries(built: Path) -> dict[str, int]:
    """Return the inode of each compiled library of the core layer."""
    python = built / "CoreLayer" / "python"
    return {str(path.relative_to(python)): path.stat().st_ino for path in python.rglob("*.so")}


def test_the_copy_has_its_own_libraries_and_the_original_keeps_those_for_lambda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam.build()
    monkeypatch.setattr(host_build, "BUILT", tmp_path / "host-build")
    before = libraries(sam.BUILT)
    host_build.build()
    assert libraries(sam.BUILT) == before
    copied = libraries(host_build.BUILT)
    assert any("pydantic_core" in name for name in copied)
    assert not set(copied.values()) & set(before.values())
    python, *others = (str(host_build.BUILT / layer / "python") for layer in SHARED_LAYERS)
    command = [sys.executable, "-I", "-S", "-c", IMPORT, python, *others]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd="/")
    assert finished.returncode == 0, finished.stderr
    assert all(path.startswith(python) for path in json.loads(finished.stdout))
    assert (host_build.BUILT / "template.yaml").exists()
