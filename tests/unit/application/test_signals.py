"""Every result has a word and a metric, and every metric a name, a unit and a meaning."""

from __future__ import annotations

from typing import TypeAliasType, get_args

import pytest

from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.register_batch import RegistrationAnswer
from els_core.application.signals import of_arrival, of_closed_batch, of_command, of_finding, of_registration
from els_core.application.steer_batch import SteeringAnswer
from els_core.domain.audit import FindingKind
from els_core.domain.batches import Status
from els_core.domain.outcomes import Outcome
from tests.unit.adapters.telemetry.results import ANSWERS, COMMANDS, OUTCOMES, TERMINAL


def members(alias: TypeAliasType) -> set[type]:
    """Return the classes of a union of classes and of other such unions."""
    found: set[type] = set()
    for part in get_args(alias.__value__):
        found |= members(part) if isinstance(part, TypeAliasType) else {part}
    return found


@pytest.mark.parametrize(
    ("samples", "alias"),
    [(OUTCOMES, Outcome), (ANSWERS, RegistrationAnswer)],
    ids=["arrivals", "registrations"],
)
def test_the_samples_of_these_tests_are_complete(samples: dict[type, object], alias: TypeAliasType) -> None:
    assert set(samples) == members(alias) | {StoreRejection, Retry}


def test_the_answers_to_commands_have_the_words_of_their_samples() -> None:
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
