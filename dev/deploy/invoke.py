"""python -m dev.deploy.invoke NAME: one function on its event, in a container, with real stores beside it.

`sam local invoke` exits with 0 even when the function raises, and needs servers, a build and tables first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from dev.deploy import sam
from dev.programs.process import ServerError
from dev.programs.tools import ROOT, SAM, environment, tool

MIGRATION = "migrate_database"
FUNCTIONS = sorted(path.stem for path in (ROOT / "events").glob("*.json"))
COMPOSE = ("docker", "compose", "--file", "dev/compose.yaml")


def commands(name: str) -> list[list[str]]:
    """Return what starts the servers, makes the tables and invokes the function, in this order."""
    names = [MIGRATION] if name == MIGRATION else [MIGRATION, name]
    return [[*COMPOSE, "up", "--detach", "--wait"], *map(_invocation, names)]


def fault(said: str) -> str | None:
    """Return what the function raised, by the last line of `sam local invoke`; None when it has answered."""
    last = (said.strip().splitlines() or [""])[-1]
    try:
        answer = json.loads(last)
    except json.JSONDecodeError:
        return f"no answer: {last}"
    if isinstance(answer, dict) and "errorType" in answer:
        return f"{answer['errorType']}: {answer.get('errorMessage', '')}"
    return None


def _invocation(name: str) -> list[str]:
    function = "".join(part.title() for part in name.split("_")) + "Function"
    return [*tool("sam", *SAM), "local", "invoke", function, "--event", f"events/{name}.json"]


def invoke(name: str) -> None:
    """Run all commands; raise `ServerError` when one fails, or a function raises."""
    sam.build()
    docker = {key: value for key, value in os.environ.items() if key.startswith("DOCKER_") or "_PORT" in key}
    known = environment(SAM_CLI_TELEMETRY="0", **docker)
    for command in commands(name):
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT, env=known)
        print(run.stdout, end="")
        if run.returncode:
            raise ServerError(f"{' '.join(command)} ended with code {run.returncode}")
        if "invoke" in command and (what := fault(run.stdout)):
            raise ServerError(f"{' '.join(command[-3:])} failed: {what}")


def main() -> None:
    """Invoke the function of this name."""
    parser = argparse.ArgumentParser(prog="make invoke NAME=…", description=__doc__)
    parser.add_argument("name", choices=FUNCTIONS)
    try:
        invoke(parser.parse_args().name)
    except ServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
