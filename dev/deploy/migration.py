"""Runs the migrations of a deployed stack by invoking its function."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dev.programs.process import ServerError

if TYPE_CHECKING:
    from dev.deploy.stack import Stack


def migrate(stack: Stack) -> str:
    """Invoke `MigrateDatabaseFunction` and return the revision; raise `ServerError` when it fails.

    The community edition of LocalStack skips custom resources with a warning, and with them the migrations.
    Where they have run already, this changes nothing.
    """
    function = stack.outputs["MigrateDatabaseFunction"]
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        hint = "a local AWS that applies no layers needs BUNDLE=1"
        raise ServerError(f"{function} failed: {said.get('errorMessage', said)}; {hint}")
    revision: str = said["revision"]
    return revision
