"""The service from a shell: `els audit` runs the check of the function `audit_batches`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from botocore.exceptions import BotoCoreError

from els_core.bootstrap import container
from els_core.domain.errors import FaultError
from els_core.settings import SettingsError

OK, FINDINGS, UNABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command with the settings of the environment.

    Returns 1 when something is still wrong, and 2 when that could not be found out.
    """
    parser = argparse.ArgumentParser(prog="els", description="the Essay Lifecycle Service from a shell")
    commands = parser.add_subparsers(required=True, metavar="command")
    audit = commands.add_parser("audit", help="compare Redis with Postgres and find what is stuck")
    audit.add_argument("--repair", action="store_true", help="repair what is safe to repair")
    audit.add_argument("--days", type=int, default=1, help="check batches closed in the last DAYS days")
    chosen = parser.parse_args(arguments)
    try:
        return _audit(repair=chosen.repair, window=timedelta(days=chosen.days))
    except (SettingsError, FaultError, BotoCoreError) as error:
        sys.stderr.write(f"els: {error}\n")
        return UNABLE


def _audit(*, repair: bool, window: timedelta) -> int:
    report = container().audit_batches(window).run(lambda: True, repair=repair)
    for finding in report.findings:
        state = "repaired" if finding in report.repaired else "found"
        since = f" since {finding.since:%Y-%m-%d %H:%M:%S}" if finding.since else ""
        _print(f"{state:8}  {finding.kind.value:22}  {finding.batch_id}  {finding.detail}{since}")
    _print(
        f"{report.batches} idle open batches compared, {len(report.findings)} findings, "
        f"{len(report.open_findings)} not repaired"
    )
    return FINDINGS if report.open_findings else OK


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
