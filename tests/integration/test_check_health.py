"""The health check on real stores: a fault of the system shows in its gauges, and never ends the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from tests.integration.lambda_functions import REGION, call, example_event
from tests.telemetry_output import captured_log, lines_of, metrics_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO

    from dev.servers.postgres import PostgresServer
    from tests.integration.lambda_functions import DeadLetterQueue

UP = {"PostgresUp", "RedisUp", "EventBusUp", "SqsUp"}


@pytest.fixture(autouse=True)
def log(dead_letter_queue: DeadLetterQueue) -> Iterator[StringIO]:
    with captured_log() as log:
        yield log
    assert dead_letter_queue.url


def check_health(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    capsys.readouterr()
    call("check_health", example_event("check_health"))
    return metrics_of(capsys.readouterr().out)


def down(gauges: dict[str, float]) -> set[str]:
    return {name for name in UP if gauges[name] == 0}


def test_the_gauges_show_what_waits_and_which_stores_answer(
    dead_letter_queue: DeadLetterQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    call("register_batch", example_event("register_batch"))
    for job in ("expire_batches", "publish_outbox"):
        call(job, example_event(job))
    boto3.client("sqs", region_name=REGION).send_message(QueueUrl=dead_letter_queue.url, MessageBody="{")
    gauges = check_health(capsys)
    assert down(gauges) == set()
    expected = {"HealthChecks": 1, "OpenBatches": 1, "LateBatches": 0, "DeadLetters": 1, "Faults": 0}
    assert expected.items() <= gauges.items()
    assert {"SweepAge", "RelayAge", "MessagesWaiting", "OldestOpenBatch"} <= gauges.keys()


def test_a_store_that_is_down_is_a_gauge_of_0_with_a_line_that_says_why(
    log: StringIO, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres.stop()
    try:
        gauges = check_health(capsys)
    finally:
        postgres.start()
    assert down(gauges) == {"PostgresUp"}
    assert gauges["Faults"] == 1
    assert "OpenBatches" not in gauges
    [line] = [line for line in lines_of(log) if line["message"] == "fault"]
    assert 'during "count what waits"' in line["reason"]


def test_a_missing_bus_and_unreadable_queues_are_noticed(
    dead_letter_queue: DeadLetterQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("events", region_name=REGION).delete_event_bus(Name="outbound")
    boto3.client("sqs", region_name=REGION).delete_queue(QueueUrl=dead_letter_queue.url)
    assert down(check_health(capsys)) == {"EventBusUp", "SqsUp"}


def test_a_redis_that_is_down_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELS_REDIS_URL", "redis://127.0.0.1:1")
    assert down(check_health(capsys)) == {"RedisUp"}
