"""Every result has its word and its metric, and every metric is emitted by some result."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAliasType, get_args

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.metrics import Metric
from els_core.application.register_batch import RegistrationAnswer
from els_core.application.signals import of_arrival, of_closed_batch, of_command, of_finding, of_registration
from els_core.application.steer_batch import SteeringAnswer
from els_core.domain.audit import FindingKind
from els_core.domain.batches import Status
from els_core.domain.outcomes import Outcome
from tests.architecture.project import CORE, names_in, parse, python_files
from tests.telemetry_output import captured_log, metrics_of
from tests.unit.adapters.telemetry_results import (
    ANSWERS,
    COMMANDS,
    OUTCOMES,
    TERMINAL,
    arrivals_consumed,
    audit_report,
    commands_consumed,
    description,
    migrate_and_fail,
    registrations_consumed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO
    from pathlib import Path


@pytest.fixture
def log() -> Iterator[StringIO]:
    with captured_log() as log:
        yield log


def members(alias: TypeAliasType) -> set[type]:
    """Return the classes of a union of classes and of other such unions."""
    found: set[type] = set()
    for part in get_args(alias.__value__):
        found |= members(part) if isinstance(part, TypeAliasType) else {part}
    return found


def run_everything(telemetry: Telemetry) -> None:
    telemetry.arrivals_consumed(arrivals_consumed())
    telemetry.registrations_consumed(registrations_consumed())
    telemetry.commands_consumed(commands_consumed())
    telemetry.audit_finished(audit_report())
    telemetry.status_read("b", description(Status.READY))
    telemetry.status_read("b", None)
    telemetry.migration(lambda: "0001")()
    with pytest.raises(ConnectionError):
        telemetry.migration(migrate_and_fail)()
    telemetry.metrics.flush_metrics()


def test_every_metric_is_emitted_and_no_other(log: StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = Telemetry()
    run_everything(telemetry)
    emitted = metrics_of(capsys.readouterr().out)
    assert set(emitted) == {metric.metric_name for metric in Metric}
    assert [name for name, count in emitted.items() if count == 0] == []
    assert log.getvalue()


def test_a_metric_has_a_name_of_its_own_a_unit_of_cloudwatch_and_one_sentence() -> None:
    names = [metric.metric_name for metric in Metric]
    assert len(set(names)) == len(names)
    assert {metric.unit.value for metric in Metric} <= {unit.value for unit in MetricUnit}
    for metric in Metric:
        assert metric.metric_name.isalnum()
        assert metric.meaning[0].isupper()
        assert metric.meaning.find(".") == len(metric.meaning) - 1


def test_no_other_file_names_a_metric_or_adds_one() -> None:
    names = {metric.metric_name for metric in Metric}
    product = python_files("layers", "functions", "migrations", "dev", "benchmarks")
    others = [path for path in product if path != CORE / "application" / "metrics.py"]
    assert {str(path): found for path in others if (found := names & set(texts_in(path)))} == {}
    adding = [path for path in others if {"add_metric", "single_metric"} & set(names_in(path))]
    assert adding == [CORE / "adapters" / "telemetry" / "recorder.py"]


def texts_in(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        match node:
            case ast.Constant(value=str(text)):
                yield text


@pytest.mark.parametrize(
    ("samples", "alias"),
    [(OUTCOMES, Outcome), (ANSWERS, RegistrationAnswer)],
    ids=["arrivals", "registrations"],
)
def test_the_samples_of_these_tests_are_complete(samples: dict[type, object], alias: TypeAliasType) -> None:
    assert set(samples) == members(alias) | {StoreRejection, Retry}


def test_the_answers_to_commands_have_the_words_of_these_tests() -> None:
    assert {word: of_command(answer).word for word, answer in COMMANDS.items()} == {w: w for w in COMMANDS}
    assert {type(answer) for answer in COMMANDS.values()} == members(SteeringAnswer)


def test_every_result_has_a_metric_of_its_own() -> None:
    signals = [
        *map(of_arrival, OUTCOMES.values()),
        *map(of_registration, ANSWERS.values()),
        *map(of_closed_batch, TERMINAL),
        *map(of_finding, FindingKind),
        *map(of_command, COMMANDS.values()),
    ]
    assert len({signal.metric for signal in signals}) == len(signals)


@pytest.mark.parametrize("status", [status for status in Status if not status.is_terminal])
def test_a_status_that_is_not_terminal_closes_no_batch(status: Status) -> None:
    with pytest.raises(ValueError, match=f"'{status}', which is not terminal"):
        of_closed_batch(status)
