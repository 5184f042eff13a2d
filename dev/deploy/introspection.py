"""Asks the deployment tools, in their own Python, what they make of the template."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev.programs.process import ServerError
from dev.programs.tools import MINISTACK, ROOT, SAM, environment, tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
SECONDS = 300  # the first run fetches the tools
TEMPLATE = ROOT / "template.yaml"


@dataclass(frozen=True)
class SamFacts:
    """What SAM makes of the template."""

    translated: dict[str, Any]
    variables: Mapping[str, Mapping[str, str]]
    routes: Sequence[str]


def ask_sam(
    parameters: Mapping[str, str] | None = None, environment_file: Mapping[str, Any] | None = None
) -> SamFacts:
    """Return the translated template, the variables of each function under `sam local`, and the routes."""
    asked = {
        "template": str(TEMPLATE),
        "parameters": dict(parameters or {}),
        "environment": dict(environment_file or {}),
    }
    return SamFacts(**_ask("sam_introspection.py", SAM, asked))


def ask_rules(translated: Mapping[str, Any], cases: Sequence[Mapping[str, str]]) -> list[str | None]:
    """Return for the parameters of each case why CloudFormation refuses them, or None where it takes them."""
    asked = {"template": dict(translated), "cases": [dict(case) for case in cases]}
    answers: list[str | None] = _ask("rules_introspection.py", MINISTACK, asked)
    return answers


def _ask(script: str, packages: tuple[str, ...], asked: Mapping[str, Any]) -> Any:
    command = [*tool("python", *packages), str(HERE / script)]
    run = subprocess.run(
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=ROOT,
        env=environment(SAM_CLI_TELEMETRY="0"),
    )
    if run.returncode:
        raise ServerError(f"{script} ended with code {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)
