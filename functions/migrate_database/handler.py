"""Trigger: a CloudFormation custom resource, or an invocation by hand. CloudFormation is answered always.

No retry: the stack decides what follows a failure.
"""

from typing import Any

from els_core.adapters.aws.custom_resource import respond


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Bring the schema to the head of the migrations layer, and check that the outbound bus exists."""
    return respond(
        event,
        context.log_stream_name,
        lambda: context.get_remaining_time_in_millis() / 1_000,
        _migrate,
    )


def _migrate() -> str:
    # Imported here, so that CloudFormation is answered even if this import fails.
    from els_core.bootstrap import container  # noqa: PLC0415

    return container().migrate_database()
