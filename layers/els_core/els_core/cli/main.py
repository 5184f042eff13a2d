"""The service from a shell: `els audit` checks it, `els announce` repeats a result, `els erase` erases."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from botocore.exceptions import BotoCoreError

from els_core.application.announce_batch import Announced, NothingToAnnounce
from els_core.application.erase_batches import Erasure
from els_core.bootstrap import container
from els_core.domain.errors import FaultError
from els_core.settings import SettingsError

OK, FINDINGS, UNABLE = 0, 1, 2
MAX_DAYS = 36_500  # a hundred years


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command with the settings of the environment.

    Returns 1 when something is still wrong, and 2 when that could not be found out.
    """
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "announce":
            return _announce(chosen.batch_id)
        if chosen.command == "erase":
            return _erase(chosen)
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
    erase = commands.add_parser("erase", help="erase the personal data of batches that have ended")
    subject = erase.add_mutually_exclusive_group(required=True)
    subject.add_argument("--batch", metavar="BATCH", help="the id of one batch")
    subject.add_argument(
        "--user", metavar="USER", help="the id of a user: all batches that this one registered"
    )
    erase.add_argument("--actor", required=True, help="who erases; kept in the table erasures")
    erase.add_argument("--reason", required=True, help="why, without personal data; kept there too")
    erase.add_argument("--yes", action="store_true", help="erase; without it the batches are only listed")
    return parser


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MAX_DAYS}")
    return int(text)


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


def _erase(chosen: argparse.Namespace) -> int:
    batch_ids = [chosen.batch] if chosen.batch else container().personal_data.batches_of(chosen.user)
    if not chosen.yes:
        for batch_id in batch_ids:
            _print(f"{batch_id}: would be erased; add --yes")
        _print(f"{len(batch_ids)} batches, nothing erased")
        return OK
    results = container().erase_batches().erase(batch_ids, chosen.actor, chosen.reason)
    for batch_id, erasure in results.items():
        _print(f"{batch_id}: {erasure.value}")
    erased = sum(erasure is Erasure.ERASED for erasure in results.values())
    _print(f"{erased} of {len(batch_ids)} batches erased")
    return OK if erased == len(batch_ids) else FINDINGS


def _host(url: str) -> str:
    """Return what of a URL is no secret."""
    return url.rpartition("@")[2] or url


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
