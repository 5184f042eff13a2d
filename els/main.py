"""The commands of `els`. What one needs is imported when it runs, so that help and completion are fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from els import dead_letter_commands, steering_commands
from els.exits import ExitCode, StopError
from els.options import BatchId, Json, Seconds, Where, client_of
from els.output import note

if TYPE_CHECKING:
    from collections.abc import Sequence


def _finish(code: ExitCode, **_: Any) -> None:
    raise typer.Exit(code)


app = typer.Typer(
    name="els",
    help="The Essay Lifecycle Service from a shell: find what is stuck, say why, act, see who did what.",
    epilog="Exit codes: 0 done, 1 something is wrong, 2 usage, 3 not found, 4 refused, 5 unreachable, "
    "6 not allowed.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    result_callback=_finish,
)
app.add_typer(steering_commands.app)
app.add_typer(dead_letter_commands.app, name="dead")


@app.callback()
def choose(
    context: typer.Context,
    api: Annotated[
        str | None,
        typer.Option(envvar="ELS_API", help="the URL of the API; without it a kept demo", metavar="URL"),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="the AWS profile that signs")] = None,
    region: Annotated[str | None, typer.Option(help="the AWS region, where the URL does not say it")] = None,
) -> None:
    """Choose the deployment to speak to."""
    context.obj = {"api": api, "profile": profile, "region": region}


@app.command("list")
def list_batches(
    context: typer.Context,
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, help="how many at most")] = 50,
    as_json: Json = False,
) -> int:
    """List batches, the newest first."""
    from els import reading

    return reading.list_batches(client_of(context), where, limit, as_json=as_json)


@app.command()
def status(context: typer.Context, as_json: Json = False) -> int:
    """Say what is wrong, or that all is well."""
    from els import reading

    return reading.status(client_of(context), as_json=as_json)


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> int:
    """Check all that the service rests on."""
    from els import reading

    return reading.doctor(client_of(context), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    batch_id: BatchId,
    full: Annotated[bool, typer.Option("--full", help="with file names; leaves a line in the log")] = False,
    as_json: Json = False,
) -> int:
    """Show all that is known of a batch."""
    from els import reading

    return reading.show(client_of(context), batch_id, full=full, as_json=as_json)


@app.command()
def why(context: typer.Context, batch_id: BatchId, as_json: Json = False) -> int:
    """Say whose move it is, and what one can do."""
    from els import reading

    return reading.why(client_of(context), batch_id, as_json=as_json)


@app.command()
def watch(
    context: typer.Context,
    batch_id: Annotated[
        str | None, typer.Argument(metavar="BATCH", help="one batch, until its result is announced")
    ] = None,
    every: Seconds = 2.0,
    as_json: Json = False,
) -> int:
    """Follow one batch, or the newest ones, live."""
    from els import watching

    client = client_of(context)
    if batch_id is not None:
        return watching.watch_batch(client, batch_id, every, as_json=as_json)
    return watching.watch_all(client, every, as_json=as_json)


@app.command()
def history(context: typer.Context, batch_id: BatchId, as_json: Json = False) -> int:
    """Say what happened to a batch, and who did what."""
    from els import reading

    return reading.history(client_of(context), batch_id, as_json=as_json)


@app.command()
def find(
    context: typer.Context,
    searched: Annotated[str, typer.Argument(metavar="ID", help="of a content, an upload or an event")],
    as_json: Json = False,
) -> int:
    """Find every batch in which an id occurs."""
    from els import reading

    return reading.find(client_of(context), searched, as_json=as_json)


@app.command()
def page(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 0,
) -> int:
    """Serve the page on this machine, until interrupted."""
    from els.page_server import serve

    return serve(client_of(context), port)


@app.command()
def audit(
    days: Annotated[int, typer.Option(min=1, max=36_500, help="look at batches closed so long ago")] = 1,
) -> int:
    """Compare Redis with Postgres, with the settings of the environment."""
    from datetime import timedelta

    from els import stores

    return stores.audit(repair=False, window=timedelta(days=days))


@app.command()
def rebuild(
    days: Annotated[int, typer.Option(min=1, max=36_500, help="look at batches closed so long ago")] = 1,
) -> int:
    """Audit, and repair what is safe to repair: Redis is built again from Postgres."""
    from datetime import timedelta

    from els import stores

    return stores.audit(repair=True, window=timedelta(days=days))


@app.command()
def erase(
    actor: Annotated[str, typer.Option(help="who erases; kept in the table erasures")],
    reason: Annotated[str, typer.Option(help="why, without personal data; kept there too")],
    batch: Annotated[str | None, typer.Option(metavar="BATCH", help="the id of one batch")] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="all batches of this user")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="erase; without it they are only listed")] = False,
) -> int:
    """Erase the personal data of batches that have ended."""
    from els import stores

    if (batch is None) == (user is None):
        raise StopError(ExitCode.USAGE, "name a batch with --batch, or a user with --user: one of the two")
    return stores.erase(batch, user, actor, reason, yes=yes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    try:
        app(args=arguments, prog_name="els")
    except StopError as error:
        note(f"els: {error}")
        return error.code
    except SystemExit as ended:
        return int(ended.code or 0)
    return ExitCode.DONE
