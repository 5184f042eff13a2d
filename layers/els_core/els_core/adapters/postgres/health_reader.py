"""The port `HealthReader`: what waits, in one statement and so one snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.adapters.postgres import statements
from els_core.application.ports.health import Backlog

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from els_core.adapters.postgres.session import Session


class PostgresHealthReader:
    """Postgres, read without locks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def backlog(self, stuck_after: timedelta) -> Backlog:
        """Count what waits."""
        parameters = {"stuck": stuck_after.total_seconds()}
        [row] = self._session.read("count what waits", statements.READ_BACKLOG, parameters)
        return Backlog(
            open_batches=row["open_batches"],
            late_batches=row["late_batches"],
            stuck_batches=row["stuck_batches"],
            oldest_open_seconds=float(row["oldest_open"]),
            parked_arrivals=row["parked_arrivals"],
            oldest_parked_seconds=float(row["oldest_parked"]),
            outbox_events=row["outbox_events"],
            oldest_outbox_seconds=float(row["oldest_outbox"]),
            unsent_results=row["unsent_results"],
            oldest_unsent_result_seconds=float(row["oldest_unsent_result"]),
            sweep_age_seconds=_seconds(row["sweep_age"]),
            relay_age_seconds=_seconds(row["relay_age"]),
        )


def _seconds(age: Decimal | None) -> float | None:
    return None if age is None else float(age)
