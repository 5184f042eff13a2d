"""What needs the stores themselves, by the settings of the environment: the audit, repairs, erasing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from els.exits import ExitCode, StopError
from els.output import note, say
from els_core.application.erase_batches import Erasure
from els_core.bootstrap import container
from els_core.contracts.fields import ID
from els_core.domain.errors import FaultError
from els_core.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

MAX_TEXT = 500


@contextmanager
def _reported() -> Iterator[None]:
    """Turn a missing setting or a store that is down into a sentence."""
    try:
        yield
    except SettingsError as error:
        raise StopError(ExitCode.USAGE, str(error)) from error
    except (FaultError, BotoCoreError) as error:
        raise StopError(ExitCode.UNREACHABLE, str(error)) from error


@_reported()
def audit(*, repair: bool, window: timedelta) -> ExitCode:
    """Compare Redis with Postgres and find what is stuck; `repair` what is safe to repair."""
    settings = container().settings
    if repair:
        say(
            f"repairing Redis at {_host(settings.redis_url)} from Postgres at {_host(settings.database_url)};"
        )
        say(f"overdue batches are closed, and unsent events are published to {settings.required_event_bus}")
    elif settings.event_bus is None:
        say("the outbound bus is not checked: ELS_EVENT_BUS is not set")
    report = container().audit_batches(window).run(lambda: True, repair=repair)
    for finding in report.findings:
        state = "repaired" if finding in report.repaired else "found"
        since = f" since {finding.since:%Y-%m-%d %H:%M:%S}" if finding.since else ""
        say(f"{state:8}  {finding.kind.value:22}  {finding.batch_id or '-'}  {finding.detail}{since}")
    say(
        f"{report.batches} idle open batches compared, {len(report.findings)} findings, "
        f"{len(report.open_findings)} not repaired"
    )
    for fault in report.faults:
        note(f"els: {fault}")
    if report.faults:
        return ExitCode.UNREACHABLE
    return ExitCode.WRONG if report.open_findings or report.unchecked else ExitCode.DONE


@_reported()
def erase(batch_id: str | None, user_id: str | None, actor: str, reason: str, *, yes: bool) -> ExitCode:
    """Erase the personal data of one batch, or of all batches that a user registered; list them first."""
    _check(batch_id, user_id, actor, reason)
    batch_ids = [batch_id] if batch_id else container().personal_data.batches_of(user_id or "")
    if not yes:
        for each in batch_ids:
            say(f"{each}: would be erased; add --yes")
        say(f"{len(batch_ids)} batches, nothing erased")
        return ExitCode.DONE
    results = container().erase_batches().erase(batch_ids, actor, reason)
    for each, erasure in results.items():
        say(f"{each}: {erasure.value}")
    erased = sum(erasure is Erasure.ERASED for erasure in results.values())
    say(f"{erased} of {len(batch_ids)} batches erased")
    return ExitCode.DONE if erased == len(batch_ids) else ExitCode.WRONG


def _check(batch_id: str | None, user_id: str | None, actor: str, reason: str) -> None:
    """Refuse ids that nothing can have and texts that cannot be kept, before any store is asked."""
    for name, chosen in (("batch", batch_id), ("user", user_id)):
        if chosen is not None and not ID.fullmatch(chosen):
            expected = "expected an id: 1 to 128 of A-Z a-z 0-9 _ . : -"
            raise StopError(ExitCode.USAGE, f"--{name} is wrong: {expected}")
    for name, text in (("actor", actor), ("reason", reason)):
        if not text.isprintable() or not 1 <= len(text) <= MAX_TEXT:
            expected = f"expected 1 to {MAX_TEXT} printable characters"
            raise StopError(ExitCode.USAGE, f"--{name} is wrong: {expected}")


def _host(url: str) -> str:
    """Return what of a URL is no secret."""
    return url.rpartition("@")[2] or url
