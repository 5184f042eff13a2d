"""The relay publishes what was left in the outbox, oldest first, page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from els_core.application.publish_outbox import PAGE_BYTES, RelayResult
from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError, FaultError
from els_core.domain.events import OutboxMessage
from tests.unit.application.in_memory import GRACE, InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


PAGE = 4
DETAIL = "x" * (PAGE_BYTES // PAGE)


def messages(count: int, start: int = 0) -> list[OutboxMessage]:
    return [
        OutboxMessage(UUID(int=number), "b", f"Event{number}", DETAIL)
        for number in range(start, start + count)
    ]


def raising(fault: FaultError) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise fault

    return fail


def environment_with(outbox: Sequence[OutboxMessage]) -> InMemoryEnvironment:
    """Return an environment in which these messages were left in the outbox before the grace period."""
    environment = InMemoryEnvironment()
    environment.postgres.transact(lambda transaction: transaction.enqueue(outbox))
    environment.clock.advance(GRACE)
    return environment


def test_an_empty_outbox_needs_no_bus() -> None:
    environment = InMemoryEnvironment()
    environment.bus.is_down = True
    assert environment.relay() == RelayResult(sent=0, unsent=0)


def test_old_events_are_published_oldest_first_and_deleted() -> None:
    left = list(reversed(messages(3)))
    environment = environment_with(left)
    assert environment.relay() == RelayResult(sent=3, unsent=0)
    assert [one.event_id for one in environment.bus.accepted] == [one.event_id for one in left]
    assert environment.outbox() == []


def test_events_within_the_grace_period_are_left_to_the_invocation_that_wrote_them() -> None:
    environment = environment_with(messages(1))
    environment.postgres.transact(lambda transaction: transaction.enqueue(messages(1, start=1)))
    assert environment.relay().sent == 1
    assert environment.outbox() == ["Event1"]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 1])
def test_every_page_is_published(count: int) -> None:
    environment = environment_with(messages(count))
    assert environment.relay().sent == count
    assert environment.outbox() == []


def test_an_event_that_the_bus_rejects_holds_up_no_other() -> None:
    environment = environment_with(messages(PAGE + 1))
    environment.bus.rejects = lambda message: message.detail_type == "Event0"
    result = environment.relay()
    assert (result.sent, result.unsent) == (PAGE, 1)
    assert environment.outbox() == ["Event0"]


def test_a_page_of_rejected_events_does_not_stop_the_next_page() -> None:
    environment = environment_with(messages(2 * PAGE))
    environment.bus.rejects = lambda message: message.event_id.int < PAGE
    result = environment.relay()
    assert (result.sent, result.unsent) == (PAGE, PAGE)


def test_the_relay_stops_between_pages_when_time_runs_short() -> None:
    environment = environment_with(messages(2 * PAGE))
    result = environment.relay(lambda: len(environment.bus.accepted) < PAGE)
    assert result.sent == PAGE
    assert len(environment.outbox()) == PAGE


@pytest.mark.fault(2)
def test_an_unavailable_bus_is_a_fault_and_the_next_run_publishes_everything() -> None:
    environment = environment_with(messages(3))
    environment.bus.is_down = True
    result = environment.relay()
    assert (result.sent, result.unsent) == (0, 3)
    assert [str(fault) for fault in result.faults] == ['EventBridge is unavailable: "publish events" failed.']
    assert environment.postgres.database.runs.committed == {}
    environment.bus.is_down = False
    assert environment.relay().sent == 3
    assert set(environment.postgres.database.runs.committed) == {"publish_outbox"}


@pytest.mark.fault(36)
def test_a_final_result_does_not_wait_behind_other_events() -> None:
    final = replace(messages(1, start=99)[0], is_final=True)
    environment = environment_with([*messages(5), final])
    environment.relay()
    assert environment.published()[0] == "Event99"


@pytest.mark.fault(24)
def test_nothing_is_sent_to_a_bus_that_does_not_exist() -> None:
    environment = environment_with(messages(3))
    environment.bus.is_there = False
    result = environment.relay()
    assert [fault.error_code for fault in result.faults] == ["EVENT_BUS_MISSING"]
    assert len(environment.outbox()) == 3


@pytest.mark.fault(42)
@pytest.mark.parametrize("fault", [ExternalServiceError("x"), CoordinationTimeoutError("x")])
def test_what_was_sent_counts_as_sent_although_it_could_not_be_deleted(
    fault: FaultError, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = environment_with(messages(2 * PAGE))
    monkeypatch.setattr(environment.postgres, "delete_sent", raising(fault))
    result = environment.relay()
    assert (result.sent, result.unsent, result.faults) == (2 * PAGE, 0, [fault, fault])
    assert len(environment.outbox()) == 2 * PAGE


@pytest.mark.fault(42)
def test_a_postgres_that_fails_in_the_middle_does_not_hide_what_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = environment_with(messages(PAGE))
    fault = ExternalServiceError("note a run", service="Postgres")
    monkeypatch.setattr(environment.postgres, "note_run", raising(fault))
    result = environment.relay()
    assert (result.sent, result.unsent, result.faults) == (PAGE, 0, [fault])
    with pytest.raises(ExternalServiceError):
        environment.relay()


@pytest.mark.fault(42)
def test_a_run_without_any_time_does_not_count_as_run() -> None:
    environment = environment_with(messages(1))
    environment.relay(lambda: False)
    assert environment.postgres.database.runs.committed == {}
