"""What template.yaml gives a function: memory, time, and the share of a CPU that goes with the memory."""

from __future__ import annotations

from dataclasses import dataclass

from dev.deploy.template import Template

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


def limits_of(function: str) -> FunctionLimits:
    """Return the limits of the function whose code lies in `functions/<function>/`."""
    name = f"{function.title().replace('_', '')}Function"
    template = Template.read()
    return FunctionLimits(template.memory_mb(name), template.timeout_seconds(name))
