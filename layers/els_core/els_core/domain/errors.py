"""The faults: a fault makes a message come back, an outcome never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID


class FaultError(Exception):
    """Something that this service rests on failed: {operation}."""

    error_code = "FAULT"

    def __init__(
        self, operation: str, *, correlation_id: str | None = None, details: str = "", service: str = ""
    ) -> None:
        self.operation = operation
        self.correlation_id = correlation_id
        self.details = details
        self.service = service
        super().__init__(str(self))

    def __str__(self) -> str:
        frame = (type(self).__doc__ or "").splitlines()[0]
        text = frame.format(operation=self.operation, service=self.service)
        return f"{text} ({self.details})" if self.details else text


class ExternalServiceError(FaultError):
    """{service} could not be reached while trying to {operation}; the message comes back."""

    error_code = "EXTERNAL_SERVICE_UNAVAILABLE"


class PartiallySentError(ExternalServiceError):
    """{service} refused some of what it was given while trying to {operation}; that stays in the outbox."""

    def __init__(self, operation: str, *, accepted: Sequence[UUID], details: str, service: str) -> None:
        super().__init__(operation, details=details, service=service)
        self.accepted = accepted


class CoordinationTimeoutError(FaultError):
    """A lock or a statement took too long while trying to {operation}; the message comes back."""

    error_code = "COORDINATION_TIMEOUT"


class ProcessingError(FaultError):
    """The state that was found cannot be while trying to {operation}; nothing was written."""

    error_code = "PROCESSING_FAILED"


class RejectedByStoreError(FaultError):
    """The store refused the data while trying to {operation}; the same data will always be refused."""

    error_code = "REFUSED_BY_STORE"
