"""Trigger: a schedule, or by hand with `{"repair": true}`. Reads only unless told to; a fault ends it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from els_core.adapters.opentelemetry.tracing import traced
from els_core.adapters.powertools.journal import Journal
from els_core.bootstrap import service

RESERVE_MILLISECONDS = 10_000  # what one page may take in the worst case

journal = Journal()


@traced("audit_batches")
@journal.logger.inject_lambda_context
@journal.metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[Any, int]:
    """Compare Redis with the record and find what is stuck; answer how much is still wrong, by kind."""
    audit = service().audit_batches()(
        lambda: context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS,
        repair=event.get("repair") is True,
    )
    journal.audited(audit)
    return audit.counts()
