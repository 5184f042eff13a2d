"""`make build ARCH=…` puts the libraries of another machine into the layer than the one that builds."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
import yaml

from dev.deploy import sam
from dev.programs.process import ServerError

if TYPE_CHECKING:
    from pathlib import Path

# e_machine in the header of an ELF file.
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
MACHINES = {"x86_64": 62, "arm64": 183}
NO_WHEELS = "ResolveDependencies"  # what SAM says when a package has no wheel for the machine


def machine_of(library: Path) -> int:
    header = library.read_bytes()[:20]
    assert header[:6] == b"\x7fELF\x02\x01", f"{library} is no 64-bit little-endian ELF file"
    [machine] = struct.unpack_from("<H", header, 18)
    return int(machine)


def test_every_library_of_the_layer_is_for_the_machine_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [architecture] = MACHINES.keys() - {sam.architecture()}
    monkeypatch.setenv("ARCH", architecture)
    monkeypatch.setattr(sam, "BUILT", tmp_path / "build")
    monkeypatch.setattr(sam, "BUILT_FROM", tmp_path / "built-from")
    try:
        sam.build()
    except ServerError as error:
        if NO_WHEELS not in str(error):
            raise
        pytest.skip(f"the package index has no wheels for {architecture}: {error}")
    libraries = list((tmp_path / "build" / "CoreLayer" / "python").rglob("*.so"))
    assert any("pydantic_core" in library.name for library in libraries)
    assert {machine_of(library) for library in libraries} == {MACHINES[architecture]}
    template = yaml.safe_load((tmp_path / "build" / "template.yaml").read_text("utf-8"))
    assert template["Parameters"]["Architecture"]["AllowedValues"] == [architecture]
