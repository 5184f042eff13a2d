"""The bundle form of what was built: each function and its layers in one folder, and no layers.

A local AWS that accepts layers but does not apply them, as the community edition of LocalStack, runs this:
`make demo BUNDLE=1`, or `make bundle` and `sam deploy --template-file .aws-sam/bundle/template.yaml`.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import yaml

from dev.deploy import sam
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BUNDLED = ROOT / ".aws-sam" / "bundle"
FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
STACK = "AWS::CloudFormation::Stack"


def bundle() -> None:
    """Build, and put every function together with its layers."""
    with sam.built() as built:
        shutil.rmtree(BUNDLED, ignore_errors=True)
        template = yaml.safe_load((built / "template.yaml").read_text())
        everybodys = template["Globals"]["Function"].pop("Layers")
        for name, resource in template["Resources"].items():
            if resource["Type"] == FUNCTION:
                own = resource["Properties"].pop("Layers", [])
                _put_together(built, name, [layer["Ref"] for layer in (*everybodys, *own)])
            elif resource["Type"] == STACK:
                shutil.copytree(built / name, BUNDLED / name)
    _take_out_layers(template["Resources"])
    (BUNDLED / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False))


def _put_together(built: Path, function: str, layers: list[str]) -> None:
    for part in (built / function, *(built / layer / "python" for layer in layers)):
        shutil.copytree(part, BUNDLED / function, copy_function=os.link, dirs_exist_ok=True)


def _take_out_layers(resources: dict[str, Any]) -> None:
    """Remove the layers; who waits for a new version of one gets the state of the sources in its place."""
    layers = {name for name, resource in resources.items() if resource["Type"] == LAYER}
    for name in layers:
        del resources[name]
    state = sam.state_of(ROOT)
    for resource in resources.values():
        for key, value in resource.get("Properties", {}).items():
            if isinstance(value, dict) and value.get("Ref") in layers:
                resource["Properties"][key] = state
