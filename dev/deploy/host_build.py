"""The build for a local AWS that runs functions as processes of this machine, not in Linux containers.

`sam build` puts libraries for Linux into the core layer, as a Lambda needs them. On Linux they run here too;
macOS needs its own, so there a copy of the build gets them.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys

from dev.deploy import sam
from dev.programs.process import run_to_end
from dev.programs.tools import ROOT, environment, uv

BUILT = ROOT / ".aws-sam" / ("build" if platform.system() == "Linux" else "host-build")
REQUIREMENTS = ROOT / "layers" / "els_core" / "requirements.txt"
INSTALL_SECONDS = 300  # the first installation downloads the packages
OWN = "els_core"  # the package of the layer that is no library


def build() -> None:
    """Build functions and layers in a form that this machine can run."""
    sam.build()
    if BUILT != sam.BUILT:
        with sam.build_lock():
            use_host_libraries()


def use_host_libraries() -> None:
    """Copy the build, and replace the libraries of its core layer by those for this machine."""
    shutil.rmtree(BUILT, ignore_errors=True)
    shutil.copytree(sam.BUILT, BUILT, copy_function=os.link)
    python = BUILT / "CoreLayer" / "python"
    for path in python.iterdir():
        if path.is_dir() and path.name != OWN:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    run_to_end(
        [
            *(uv(), "pip", "install", "--quiet", "--compile-bytecode", "--only-binary", ":all:"),
            *("--python", sys.executable, "--target", str(python), "--requirement", str(REQUIREMENTS)),
        ],
        INSTALL_SECONDS,
        cwd=ROOT,
        environment=environment(),
    )
