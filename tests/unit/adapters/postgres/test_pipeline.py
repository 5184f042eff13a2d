"""What travels together, and what must not: neither end may wait for the other to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from els_core.adapters.postgres.calls import Call, Result
from els_core.adapters.postgres.errors import DisconnectedError
from els_core.adapters.postgres.pipeline import MAX_BYTES, MAX_ROWS_AHEAD, Pipeline
from els_core.adapters.postgres.statements import Statement
from els_core.adapters.postgres.transaction import PostgresTransaction
from els_core.domain.errors import CoordinationTimeoutError
from els_core.domain.events import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY = Statement.of("SELECT :value")
SMALL, LARGE = b"x", b"x" * (MAX_BYTES + 1)


@dataclass
class RecordingConnection:
    """Answers every call up to the one that fails."""

    failing: str = ""
    error: Exception | None = None
    flights: list[list[str]] = field(default_factory=list)
    is_in_step: bool = True

    def fly(self, calls: Sequence[Call], *, named: bool) -> DatabaseError | None:
        assert named
        self.flights.append([call.operation for call in calls])
        for call in calls:
            if call.operation == self.failing:
                if isinstance(self.error, DatabaseError):
                    return self.error
                raise self.error or AssertionError
            call.result = Result((), [], "SELECT 0")
        return None


def call(name: str, value: bytes = SMALL, max_rows: int | None = 0) -> Call:
    return Call(name, ANY, {"value": value}, max_rows)


def pipeline_on(connection: RecordingConnection) -> Pipeline:
    driver: Any = connection
    return Pipeline(driver, named=True)


def test_calls_wait_for_the_one_whose_answer_is_needed() -> None:
    connection = RecordingConnection()
    pipeline = pipeline_on(connection)
    pipeline.later(call("a"))
    pipeline.later(call("b"))
    assert connection.flights == []
    pipeline.now(call("c"))
    pipeline.now(call("d"))
    assert connection.flights == [["a", "b", "c"], ["d"]]


@pytest.mark.parametrize(
    ("max_rows", "value", "flights"),
    [
        (MAX_ROWS_AHEAD, LARGE, [["rows", "between", "values"]]),
        (MAX_ROWS_AHEAD + 1, SMALL, [["rows", "between", "values"]]),
        (MAX_ROWS_AHEAD + 1, LARGE, [["rows", "between"], ["values"]]),
        (None, LARGE, [["rows", "between"], ["values"]]),
    ],
)
def test_large_values_do_not_travel_behind_many_rows(
    max_rows: int | None, value: bytes, flights: list[list[str]]
) -> None:
    connection = RecordingConnection()
    pipeline = pipeline_on(connection)
    pipeline.later(call("rows", max_rows=max_rows))
    pipeline.later(call("between"))
    pipeline.now(call("values", value))
    assert connection.flights == flights


def test_a_fault_names_the_operation_that_failed_and_nothing_follows_it() -> None:
    connection = RecordingConnection("first", DatabaseError({"C": "55P03"}))
    pipeline = pipeline_on(connection)
    pipeline.later(call("first", max_rows=None))
    with pytest.raises(CoordinationTimeoutError, match='"first"'):
        pipeline.now(call("second", LARGE))
    assert connection.flights == [["first"]]


def test_a_lost_connection_is_a_fault() -> None:
    pipeline = pipeline_on(RecordingConnection("only", InterfaceError("network error")))
    with pytest.raises(DisconnectedError, match='"only"'):
        pipeline.now(call("only"))


def test_discarded_calls_are_never_sent() -> None:
    connection = RecordingConnection()
    pipeline = pipeline_on(connection)
    pipeline.later(call("a"))
    pipeline.discard()
    pipeline.now(call("b"))
    assert connection.flights == [["b"]]


def enqueued_on(pipeline: Pipeline) -> Sequence[OutboxMessage]:
    message = OutboxMessage(UUID(int=1), "b", "Kind", "{}")
    return PostgresTransaction(pipeline).enqueue([message])


def test_outbox_rows_that_are_read_before_the_commit_are_sent_at_once() -> None:
    connection = RecordingConnection()
    enqueued = enqueued_on(pipeline_on(connection))
    assert connection.flights == []
    assert list(enqueued) == []
    assert connection.flights == [["insert into outbox"]]


def test_outbox_rows_of_a_rolled_back_transaction_cannot_be_read() -> None:
    pipeline = pipeline_on(RecordingConnection())
    enqueued = enqueued_on(pipeline)
    pipeline.discard()
    with pytest.raises(LookupError, match="rolled back"):
        len(enqueued)


def test_a_name_is_that_of_the_sql_and_a_parameter_has_one_number() -> None:
    one = Statement.of("SELECT :b, :a, :b::text")
    assert (one.sql, one.parameters) == ("SELECT $1, $2, $1::text", ("b", "a"))
    assert one.name == Statement.of("SELECT :b, :a, :b::text").name
    assert one.name != Statement.of("SELECT :b, :a, :a::text").name
