"""An error of any class, in any trip to Postgres: nothing is lost, booked on an arrival or counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pg8000.exceptions import DatabaseError

from els_core.adapters.postgres.driver import OneTripConnection
from els_core.application.message_consumer import MessageConsumer
from els_core.application.messages import QueueMessage
from els_core.application.verdicts import verdicts
from els_core.domain.batches import Status
from tests.factories import content, failure, registration
from tests.fakes.queues import FakeDeadLetterQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.adapters.postgres.calls import Call
    from els_core.application.provision_content import ProvisioningResult
    from els_core.domain.arrivals import Arrival
    from tests.integration.environment import Environment

TRIPS = 4  # more than one invocation that closes a batch needs
ABOUT_THE_STORE = (
    *("08006", "25006", "25P04", "28P01", "3D000", "42501", "42601", "42P01", "53100", "53300", "55P03"),
    *("57014", "57P03", "58030", "F0000", "XX000"),
)
OTHERS = (
    *("", "0A000", "22012", "22P05", "23503", "23505", "23514", "25P02", "25P03", "26000", "40001", "40P01"),
    *("54000", "57P01", "P0001"),
)


def consumer_of(environment: Environment, batch_id: str) -> MessageConsumer[Arrival, ProvisioningResult]:
    """Return the consumer of contents and failures; the body of a message names its arrival."""
    return MessageConsumer(
        lambda body: failure(body, batch_id) if body == "f" else content(body, batch_id),
        environment.provision_content.provision,
        lambda report: verdicts(report.outcomes),
        FakeDeadLetterQueue(),
        environment.clock,
    )


def failing(monkeypatch: pytest.MonkeyPatch, state: str, fails: Callable[[int], bool]) -> list[int]:
    """Let trips to Postgres fail by their numbers from 1 on; return the list of all that were made."""
    fly, trips = OneTripConnection.fly, list[int]()

    def fly_or_fail(self: OneTripConnection, calls: Sequence[Call], *, named: bool) -> DatabaseError | None:
        trips.append(len(trips) + 1)
        if fails(trips[-1]):
            return DatabaseError({"S": "ERROR", "C": state, "M": "Anna.txt"})
        return fly(self, calls, named=named)

    monkeypatch.setattr(OneTripConnection, "fly", fly_or_fail)
    return trips


@pytest.mark.fault(21)
@pytest.mark.fault(31)
@pytest.mark.parametrize("state", [*ABOUT_THE_STORE, *OTHERS])
def test_an_error_in_any_trip_loses_nothing_and_repeats_nothing(environment: Environment, state: str) -> None:
    for trip in range(1, TRIPS + 1):
        batch_id = f"b{trip}"
        environment.register(registration(3, batch_id))
        messages = [QueueMessage(name, name) for name in ("a", "c", "f", "d")]
        with pytest.MonkeyPatch.context() as patch:
            failing(patch, state, lambda number, trip=trip: number == trip)  # type: ignore[misc]
            consumed = consumer_of(environment, batch_id).consume(messages)
        assert consumed.dead_letters == []
        assert not any("Anna" in str(fault) for fault in consumed.faults)
        pending = [one for one in messages if one.message_id in consumed.batch_item_failures]
        assert consumer_of(environment, batch_id).consume(pending).batch_item_failures == []
        assert environment.snapshot(batch_id).batch.status is Status.READY
    environment.relay()
    counts = environment.bus.event_counts()
    assert (counts["BatchEssaysReady"], counts["ExcessContentProvisioned"]) == (TRIPS, TRIPS)


@pytest.mark.fault(31)
@pytest.mark.parametrize("state", ABOUT_THE_STORE)
def test_an_error_of_the_store_is_one_attempt_for_all(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    environment.register(registration(3))
    messages = [QueueMessage(f"m{number}", f"c{number}") for number in range(100)]
    with monkeypatch.context() as patch:
        trips = failing(patch, state, lambda _: True)
        consumed = consumer_of(environment, "b").consume(messages)
    assert len(trips) == 1
    assert (consumed.dead_letters, len(consumed.faults)) == ([], 1)
    assert consumed.batch_item_failures == [message.message_id for message in messages]
