"""Builds and deploys the template with the real SAM CLI."""

from __future__ import annotations

import compileall
import subprocess
import sys
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING

import boto3

from dev.tools import REGION, ROOT, SAM, environment, tool

if TYPE_CHECKING:
    from collections.abc import Mapping

STACK = "els"
BUILT = ROOT / ".aws-sam" / "build"


def validate() -> None:
    """Lint the template."""
    _sam("validate", "--lint")


def build() -> None:
    """Build functions and layers, and compile the core layer: a Lambda cannot write bytecode of its own."""
    _sam("build")
    python = BUILT / "CoreLayer" / "python"
    compileall.compile_dir(
        python,
        stripdir=str(python),
        prependdir="/opt/python",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        quiet=1,
    )


def deploy(endpoint: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy what was built to an endpoint and return the stack's outputs."""
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    _sam("deploy", "--parameter-overrides", *overrides, AWS_ENDPOINT_URL=endpoint)
    client = boto3.client(
        "cloudformation",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the local AWS checks none
    )
    [stack] = client.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _sam(*arguments: str, **more: str) -> None:
    known = environment(SAM_CLI_TELEMETRY="0", **more)
    finished = subprocess.run(
        [*tool("sam", *SAM), *arguments], cwd=ROOT, env=known, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        sys.stderr.write(finished.stdout + finished.stderr)
        raise SystemExit(f"sam {arguments[0]} ended with code {finished.returncode}")
