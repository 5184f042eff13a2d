"""Lints every template: as it is written, and as SAM translates it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import yaml

from dev.deploy import sam
from dev.deploy.introspection import ask_sam
from dev.programs.process import ServerError, run_to_end
from dev.programs.tools import CFN_LINT, CHECKOV, ROOT, environment, tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SECONDS = 300  # the first run fetches the tools
REGIONS = ("eu-north-1", "eu-west-1", "us-east-1")
TRANSLATED = ROOT / ".aws-sam" / "translated"
ACCEPTED = ROOT / "infra" / "checkov.yaml"
# The translated template names its nested stacks by path, which `sam package` replaces.
NOT_OF_TRANSLATED = "W3002"


def validate() -> None:
    """Lint with `sam validate --lint`, cfn-lint and checkov; raise `ServerError` with what they find."""
    sam.validate()
    templates = sorted(ROOT.glob("infra/*.yaml"))
    nested = [path for path in templates if path != ACCEPTED]
    _cfn_lint([ROOT / "template.yaml", *nested])
    translated = _translate(nested)
    _cfn_lint([translated], "--ignore-checks", NOT_OF_TRANSLATED)
    _checkov(translated.parent)


def _translate(nested: Iterable[Path]) -> Path:
    """Write what SAM makes of the template, with the nested templates where it expects them."""
    shutil.rmtree(TRANSLATED, ignore_errors=True)
    (TRANSLATED / "infra").mkdir(parents=True)
    for path in nested:
        shutil.copy(path, TRANSLATED / "infra")
    written = TRANSLATED / "template.json"
    written.write_text(json.dumps(ask_sam().translated, indent=2))
    return written


def _cfn_lint(templates: Iterable[Path], *options: str) -> None:
    command = [*tool("cfn-lint", *CFN_LINT), "--include-checks", "I", *options]
    command += ["--regions", *REGIONS, "--template", *map(str, templates)]
    try:
        run_to_end(command, SECONDS, cwd=ROOT, environment=environment())
    except ServerError as error:
        raise ServerError(f"cfn-lint {error}") from None


def _checkov(folder: Path) -> None:
    command = [*tool("checkov", *CHECKOV), "--framework", "cloudformation", "--directory", str(folder)]
    command += ["--compact", "--quiet", "--skip-download", "--soft-fail"]
    command += ["--output", "json", "--output-file-path", str(folder)]
    run_to_end(command, SECONDS, cwd=ROOT, environment=environment(LOG_LEVEL="CRITICAL"))
    report = json.loads((folder / "results_json.json").read_text())
    accepted = yaml.safe_load(ACCEPTED.read_text("utf-8"))
    if problems := judge(report["results"]["failed_checks"], accepted):
        raise ServerError("\n".join([f"checkov and {ACCEPTED.relative_to(ROOT)} disagree:", *problems]))


def judge(failed: Iterable[Mapping[str, Any]], accepted: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return each finding that is not accepted, and each acceptance that finds nothing."""
    found = {(each["check_id"], each["resource"].rpartition(".")[0]): each for each in failed}
    answered = {(check, kind) for check, entry in accepted.items() for kind in entry["types"]}
    unanswered = [
        f"{check} {each['resource']} in {each['file_path']}: {each['check_name']}"
        for (check, kind), each in found.items()
        if (check, kind) not in answered
    ]
    return sorted(unanswered) + [
        f"{check} finds no {kind} any more" for check, kind in sorted(answered - set(found))
    ]
