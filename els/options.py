"""The options that commands of `els` share, and the client that they choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from els.client import ApiClient
    from els.target import Target

BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="the id of a batch")]
Selected = Annotated[str | None, typer.Argument(metavar="BATCH", help="the id of a batch, or --where")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object per line, for programs")]
Where = Annotated[
    str | None,
    typer.Option("--where", help="batches, as in 'stuck and org=o1 and status=open'", metavar="FILTER"),
]
Maximum = Annotated[int, typer.Option("--max", min=1, help="with --where: refuse when more match")]
Run = Annotated[
    str, typer.Option("--run", help="with --where: another name judges anew what was answered before")
]
Reason = Annotated[str | None, typer.Option("--reason", help="why, for those who read the history")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would happen")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
CommandId = Annotated[
    str | None, typer.Option("--command-id", help="the same id again is the same command, done once")
]
IfVersion = Annotated[int | None, typer.Option("--if-version", help="only if the batch is at this version")]
Seconds = Annotated[float, typer.Option("--every", min=0.2, help="seconds between two looks")]


def target_of(context: typer.Context) -> Target:
    """Return the deployment that the options before the command name."""
    from els.target import find_target

    return find_target(context.obj["api"], context.obj["profile"], context.obj["region"])


def client_of(context: typer.Context) -> ApiClient:
    """Return a client of that deployment."""
    from els.client import ApiClient

    return ApiClient(target_of(context))
