"""The build as a bundle: each function with its layers in one folder, and a template without layers.

For a local AWS that accepts layers but does not apply them, as the community edition of LocalStack:
`make demo BUNDLE=1`, or `make bundle` and `sam deploy --template-file .aws-sam/bundle/template.yaml`.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import yaml

from dev.deploy import sam
from dev.programs.tools import ROOT, SHARED_LAYERS

if TYPE_CHECKING:
    from pathlib import Path

BUNDLED = ROOT / ".aws-sam" / "bundle"
FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
STACK = "AWS::CloudFormation::Stack"


def bundle() -> None:
    """Build, and merge the layers of every function into its folder."""
    with sam.built() as built:
        shutil.rmtree(BUNDLED, ignore_errors=True)
        template = yaml.safe_load((built / "template.yaml").read_text())
        del template["Globals"]["Function"]["Layers"]
        for name, resource in template["Resources"].items():
            if resource["Type"] == FUNCTION:
                own = resource["Properties"].pop("Layers", [])
                _merge(built, name, [*SHARED_LAYERS, *(layer["Ref"] for layer in own)])
            elif resource["Type"] == STACK:
                shutil.copytree(built / name, BUNDLED / name)
    _remove_layers(template["Resources"])
    (BUNDLED / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False))


def _merge(built: Path, function: str, layers: list[str]) -> None:
    for part in (built / function, *(built / layer / "python" for layer in layers)):
        shutil.copytree(part, BUNDLED / function, copy_function=_link_once, dirs_exist_ok=True)


def _link_once(source: str, target: str) -> None:
    """Link a file, unless a part before brought it: one lock pins what several layers have."""
    with suppress(FileExistsError):
        os.link(source, target)


def _remove_layers(resources: dict[str, Any]) -> None:
    """Remove the layers; where a resource refers to one, a digest of the sources takes its place."""
    layers = {name for name, resource in resources.items() if resource["Type"] == LAYER}
    for name in layers:
        del resources[name]
    state = sam.state_of(ROOT)
    for resource in resources.values():
        for key, value in resource.get("Properties", {}).items():
            if isinstance(value, dict) and value.get("Ref") in layers:
                resource["Properties"][key] = state
