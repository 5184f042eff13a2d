"""The commands of `els dead`."""

from __future__ import annotations

from typing import Annotated

import typer

from els.options import DryRun, Json, Yes, client_of

app = typer.Typer(help="Dead letters: what could not be handled, and why.", no_args_is_help=True)


@app.command("list")
def list_letters(
    context: typer.Context,
    queue: Annotated[str | None, typer.Option(help="of one function, such as provision_content")] = None,
    as_json: Json = False,
) -> int:
    """Show what a look into the dead-letter queues finds."""
    from els import dead_letters

    return dead_letters.list_letters(client_of(context), queue, as_json=as_json)


@app.command("show")
def show_letter(
    context: typer.Context,
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE", help="as list prints it")],
    as_json: Json = False,
) -> int:
    """Show one dead letter with its body, which may hold file names."""
    from els import dead_letters

    return dead_letters.show_letter(client_of(context), message_id, as_json=as_json)


@app.command()
def redrive(
    context: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="of which function")],
    maximum: Annotated[int, typer.Option("--max", min=1, max=10_000, help="how many at most")] = 1_000,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Send dead letters back to their queue."""
    from els import dead_letters
    from els.steering import Manner

    return dead_letters.redrive(client_of(context), queue, maximum, Manner(dry_run, yes, as_json))
