"""Arrivals and registrations as the tests speak of them."""

from __future__ import annotations

from els_core.domain.arrivals import Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails

CORRELATION = "6f1f0f5e-0000-4000-8000-000000000001"


def content(name: str, batch_id: str = "b") -> Content:
    return Content(batch_id, name, f"raw-{name}", f"{name}.txt", 400, CORRELATION)


def failure(name: str, batch_id: str = "b") -> Failure:
    event_id = "6f1f0f5e-0000-4000-8000-000000000002"
    return Failure(
        batch_id, event_id, "STORAGE_FAILED", f"{name}.txt", 0, "EMPTY_CONTENT", "empty", CORRELATION, name
    )


def registration(slots: int, batch_id: str = "b", timeout_seconds: int = 3_600) -> Registration:
    details = RegistrationDetails("ENG5", "teacher", CORRELATION, timeout_seconds)
    essay_ids = tuple(f"essay-{number:04}" for number in range(slots))
    return Registration(batch_id, essay_ids, details, f"fingerprint of {slots}")
