"""Faults. A fault makes SQS deliver a message again; a business outcome never does.

The docstring of an error is its message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID


class FaultError(Exception):
    """Operation "{operation}" failed."""

    error_code = "FAULT"
    # Whether one item of a bulk call may have caused it, so that the call is worth repeating in halves.
    is_isolatable = True

    def __init__(
        self, operation: str, *, correlation_id: str | None = None, details: str = "", service: str = ""
    ) -> None:
        self.operation = operation
        self.correlation_id = correlation_id
        self.details = details
        self.service = service
        super().__init__(str(self))

    def __str__(self) -> str:
        template = (type(self).__doc__ or "").splitlines()[0]
        text = template.format(operation=self.operation, service=self.service)
        return f"{text} ({self.details})" if self.details else text


class ExternalServiceError(FaultError):
    """{service} is unavailable: "{operation}" failed."""

    error_code = "EXTERNAL_SERVICE_UNAVAILABLE"
    is_isolatable = False


class PartiallySentError(ExternalServiceError):
    """{service} rejected some entries of "{operation}"; these events stay in the outbox for the relay."""

    def __init__(self, operation: str, *, accepted: Sequence[UUID], details: str, service: str) -> None:
        super().__init__(operation, details=details, service=service)
        self.accepted = accepted


class EventBusMissingError(ExternalServiceError):
    """The bus of ELS_EVENT_BUS does not exist: "{operation}" failed. Create it or correct the name."""

    error_code = "EVENT_BUS_MISSING"


class CoordinationTimeoutError(FaultError):
    """A lock or a statement timed out during "{operation}"; rolled back."""

    error_code = "COORDINATION_TIMEOUT"
    is_isolatable = False


class ProcessingError(FaultError):
    """Inconsistent state during "{operation}"; rolled back."""

    error_code = "PROCESSING_FAILED"


class RejectedByStoreError(FaultError):
    """Postgres rejected the data during "{operation}"; the same data will always be rejected."""

    error_code = "REJECTED_BY_STORE"


def words_of(error: BaseException) -> str:
    """Return the message of an error of ours, and of any other its class: its message may repeat an input."""
    is_ours = type(error).__module__.startswith("els_core.")
    return str(error) if is_ours else f"{type(error).__name__} was raised"
