"""Every fault says what failed, with which service, and carries a code for the logs."""

from __future__ import annotations

import pytest

from els_core.domain.errors import (
    CoordinationTimeoutError,
    ExternalServiceError,
    FaultError,
    PartiallySentError,
    ProcessingError,
    RejectedByStoreError,
)

FAULTS = [
    ExternalServiceError("propose slots", service="Redis", details="TimeoutError"),
    CoordinationTimeoutError("lock batches", service="Postgres", details="SQLSTATE 55P03"),
    ProcessingError("record decisions", service="Postgres", details="SQLSTATE 23505"),
    RejectedByStoreError("record decisions", service="Postgres", details="SQLSTATE 22P05"),
    PartiallySentError("publish events", accepted=[], service="EventBridge", details="Throttled: 1"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_names_its_operation_and_its_cause(fault: FaultError) -> None:
    assert fault.operation in str(fault)
    assert fault.details in str(fault)
    assert "{" not in str(fault)


@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[4]], ids=lambda fault: type(fault).__name__)
def test_a_fault_of_a_service_names_the_service(fault: FaultError) -> None:
    assert fault.service in str(fault)


def test_every_kind_of_fault_has_an_error_code_of_its_own() -> None:
    kinds = [ExternalServiceError, CoordinationTimeoutError, ProcessingError, RejectedByStoreError]
    assert len({kind.error_code for kind in kinds}) == len(kinds)
    assert FaultError.error_code not in {kind.error_code for kind in kinds}
