"""The service from a shell: `els audit` checks the stores, `els announce` repeats a final result."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from botocore.exceptions import BotoCoreError

from els_core.application.announce_batch import Announced, NothingToAnnounce
from els_core.bootstrap import container
from els_core.domain.errors import FaultError
from els_core.settings import SettingsError

OK, FINDINGS, UNABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command with the settings of the environment.

    Returns 1 when something is still wrong, and 2 when that could not be found out.
    """
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "announce":
            return _announce(chosen.batch_id)
        return _audit(repair=chosen.repair, window=timedelta(days=chosen.days))
    except (SettingsError, FaultError, BotoCoreError) as error:
        sys.stderr.write(f"els: {error}\n")
        return UNABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="els", description="the Essay Lifecycle Service from a shell")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    audit = commands.add_parser("audit", help="compare Redis with Postgres and find what is stuck")
    audit.add_argument("--repair", action="store_true", help="repair what is safe to repair")
    audit.add_argument("--days", type=_days, default=1, help="check batches closed in the last DAYS days")
    announce = commands.add_parser("announce", help="publish the final result of a batch again")
    announce.add_argument(
        "batch_id", metavar="BATCH", help="the id of a batch that is ready, failed or timed out"
    )
    return parser


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 36_500:  # noqa: PLR2004 - a hundred years
        raise ValueError(text)
    return days


def _audit(*, repair: bool, window: timedelta) -> int:
    settings = container().settings
    if repair:
        _print(
            f"repairing Redis at {_host(settings.redis_url)} from Postgres at {_host(settings.database_url)};"
        )
        _print(
            f"overdue batches are closed, and unsent events are published to {settings.required_event_bus}"
        )
    elif settings.event_bus is None:
        _print("the outbound bus is not checked: ELS_EVENT_BUS is not set")
    report = container().audit_batches(window).run(lambda: True, repair=repair)
    for finding in report.findings:
        state = "repaired" if finding in report.repaired else "found"
        since = f" since {finding.since:%Y-%m-%d %H:%M:%S}" if finding.since else ""
        _print(f"{state:8}  {finding.kind.value:22}  {finding.batch_id or '-'}  {finding.detail}{since}")
    _print(
        f"{report.batches} idle open batches compared, {len(report.findings)} findings, "
        f"{len(report.open_findings)} not repaired"
    )
    return FINDINGS if report.open_findings or report.unchecked else OK


def _announce(batch_id: str) -> int:
    _print(f"publishing to {container().settings.required_event_bus}")
    match container().announce_batch().announce(batch_id):
        case NothingToAnnounce(None):
            _print(f"{batch_id}: unknown batch")
            return FINDINGS
        case NothingToAnnounce(status):
            _print(f"{batch_id}: the batch is {status} and has no final result yet")
            return FINDINGS
        case Announced(message, published):
            state = "published" if published.sent else "in the outbox; the relay publishes it within a minute"
            _print(f"{batch_id}: {message.detail_type} {message.event_id} is {state}")
            return OK


def _host(url: str) -> str:
    """Return what of a URL is no secret."""
    return url.rpartition("@")[2] or url


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
