"""The service from a shell: `els audit` makes the check that the function `audit_batches` makes."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from botocore.exceptions import BotoCoreError

from els_core.bootstrap import container
from els_core.domain.errors import FaultError
from els_core.settings import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command with the settings of the environment.

    Return 1 when something is still wrong, and 2 when that could not be found out.
    """
    parser = argparse.ArgumentParser(prog="els", description="the Essay Lifecycle Service from a shell")
    commands = parser.add_subparsers(required=True, metavar="command")
    audit = commands.add_parser("audit", help="compare Redis with the record and find what is stuck")
    audit.add_argument("--repair", action="store_true", help="heal what is safe to heal")
    audit.add_argument("--days", type=int, default=1, help="how far back closed batches are checked")
    chosen = parser.parse_args(arguments)
    try:
        return _audit(repair=chosen.repair, window=timedelta(days=chosen.days))
    except (SettingsError, FaultError, BotoCoreError) as error:
        sys.stderr.write(f"els: {error}\n")
        return 2


def _audit(*, repair: bool, window: timedelta) -> int:
    audit = container().audit_batches(window).run(lambda: True, repair=repair)
    for finding in audit.findings:
        state = "healed" if finding in audit.healed else "found"
        since = f" since {finding.since:%Y-%m-%d %H:%M:%S}" if finding.since else ""
        _say(f"{state:6}  {finding.kind.value:22}  {finding.batch_id}  {finding.detail}{since}")
    _say(
        f"{audit.batches} idle open batches compared, {len(audit.findings)} findings, {len(audit.left)} left"
    )
    return 1 if audit.left else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
