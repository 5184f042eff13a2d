"""What template.yaml gives a function: memory, time, and the share of a CPU that goes with the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from dev.programs.tools import ROOT

# Lambda gives CPU in proportion to memory, one vCPU at this size.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEGABYTES_OF_ONE_CPU = 1_769


@dataclass(frozen=True)
class FunctionLimits:
    """Memory in MB and the timeout in seconds."""

    memory_mb: int
    timeout_seconds: int

    @property
    def cpu_share(self) -> float:
        """Return the share of one CPU, at most a whole one: a handler has one thread."""
        return min(1.0, self.memory_mb / MEGABYTES_OF_ONE_CPU)


class _Template(yaml.SafeLoader):
    """Reads `!Ref Name` as the name, and other short forms as nothing."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> object:
    return loader.construct_scalar(node) if tag == "Ref" and isinstance(node, yaml.ScalarNode) else None


_Template.add_multi_constructor("!", _short_form)


def limits_of(function: str) -> FunctionLimits:
    """Return the limits of the function whose code lies in `functions/<function>/`."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    template = yaml.load(text, Loader=_Template)  # noqa: S506 - a SafeLoader too
    [own] = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource.get("Properties", {}).get("CodeUri") == f"functions/{function}/"
    ]
    properties = template["Globals"]["Function"] | own
    return FunctionLimits(
        _number(template, properties["MemorySize"]), _number(template, properties["Timeout"])
    )


def _number(template: dict[str, Any], value: int | str) -> int:
    """Return a number, or the default of the parameter that is referred to."""
    return value if isinstance(value, int) else int(template["Parameters"][value]["Default"])
