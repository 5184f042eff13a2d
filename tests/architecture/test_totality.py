"""For a new outcome, status or kind, mypy names every place that must handle it.

Each test makes one addition to a copy of the core. The table beside it lists the places that mypy names, and
so what there is to edit. A place that is missing here was made total: add it. A place that mypy no longer
names drops the addition silently: make it total again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.documents import Page
from tests.architecture.product_copies import Addition, named_places

OUTCOME = '\n\n@dataclass(frozen=True, slots=True)\nclass Added:\n    """An outcome."""\n'
ARRIVAL = """

@dataclass(frozen=True, slots=True)
class Added:
    batch_id: str
    raw_file_storage_id: str
    original_file_name: str
    file_size_bytes: int
    correlation_id: str
    identity: str
    file_upload_id: str | None = None
    traceparent: str | None = None
    supersedes: str | None = None
"""
EVENT = """

@dataclass(frozen=True, slots=True)
class Added:
    batch_id: str
    correlation_id: str
    event_id: UUID
"""
COMMAND = """

@dataclass(frozen=True, slots=True)
class Added:
    name: ClassVar = CommandName.CANCEL
"""
FINAL_OUTCOME = Addition("domain/outcomes.py", "^type FinalOutcome = ", " | Added", OUTCOME)

CHANGES = {
    "nothing": (),
    "an outcome": (FINAL_OUTCOME,),
    "an outcome that is no first answer": (
        Addition("domain/outcomes.py", "^type Outcome = ", " | Added", OUTCOME),
    ),
    "a reason": (Addition("domain/outcomes.py", "BATCH_TIMED_OUT = ", '\n    ADDED = "ADDED"'),),
    "a status": (Addition("domain/batches.py", "TIMED_OUT = ", '\n    ADDED = "added"'),),
    "a kind of arrival": (
        Addition("domain/arrivals.py", "^type Arrival = ", " | Added", ARRIVAL),
        Addition("domain/arrivals.py", "FAILURE = ", '\n    ADDED = "added"'),
    ),
    "a domain event": (Addition("domain/events.py", r"\| ParkedOverdue", "\n    | Added", EVENT),),
    "a command": (Addition("domain/commands.py", "^type Command = ", " | Added", COMMAND),),
    "a kind of proposal": (Addition("domain/outcomes.py", "UNKNOWN = ", '\n    ADDED = "added"'),),
    "a kind of finding": (Addition("domain/audit.py", "UNCOMMITTED_PROPOSALS = ", '\n    ADDED = "added"'),),
    "an answer to a registration": (
        Addition("application/register_batch.py", "^type RegistrationAnswer = ", " | Added", OUTCOME),
    ),
}

PLACES = {
    "nothing": set(),
    "an outcome": {
        "domain/outcomes.py as_duplicate",
        "domain/outcomes.py slot_of",
        "domain/places.py counted",
        "domain/announcements.py domain_events_of",
        "adapters/postgres/rows.py _rows",
        "application/signals.py of_arrival",
    },
    "an outcome that is no first answer": {
        "domain/outcomes.py as_duplicate",
        "domain/outcomes.py slot_of",
        "domain/places.py counted",
        "domain/announcements.py domain_events_of",
        "adapters/postgres/rows.py _rows",
        "application/signals.py of_arrival",
    },
    "a reason": {"contracts/event_data.py _reason"},
    "a status": {
        "domain/batches.py is_terminal",
        "domain/decisions.py _fits",
        "domain/places.py place",
        "domain/steering.py steer",
        "domain/events.py terminal_event_type",
        "domain/events.py ended_by_of",
        "application/signals.py of_closed_batch",
        "application/sentences.py describe",
        "contracts/final_results.py final_result",
    },
    "a kind of arrival": {
        "domain/arrivals.py kind_of",
        "domain/places.py _with_slot",
        "domain/places.py without_slot",
        "domain/superseding.py takes_effect",
        "domain/announcements.py _content",
        "contracts/event_data.py _overdue",
        "adapters/postgres/rows.py parked_of",
        "adapters/postgres/rows.py _fields",
        "adapters/postgres/transaction.py _asked",
        "adapters/redis/coordinator.py _argument",
    },
    "a domain event": {"contracts/event_data.py data_of"},
    "a command": {
        "domain/steering.py _steer_awaited",
        "domain/steering.py _steer_open",
        "domain/steering.py _steer_ended",
    },
    "a kind of proposal": {
        "domain/decisions.py coordinator_is_current",
        "adapters/redis/replies.py _proposal_of",
    },
    "a kind of finding": {"domain/audit.py repair", "application/signals.py of_finding"},
    "an answer to a registration": {"application/signals.py of_registration"},
}

# The headings of docs/changing.md under which it says what these additions touch.
RECIPES = {
    "an outcome": "A new outcome of an arrival",
    "a reason": "A new reason for excess and late",
    "a status": "A new status of a batch",
    "a kind of arrival": "A new kind of arrival",
    "a domain event": "A new outbound event",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> dict[str, set[str]]:
    """Return the places that mypy names for each change. Its cache makes all runs but the first one quick."""
    cache: Path = pytestconfig.cache.mkdir("mypy-of-copies")
    return named_places(CHANGES, tmp_path_factory.mktemp("copies"), cache)


@pytest.mark.fault(43)
@pytest.mark.parametrize("addition", CHANGES)
def test_mypy_names_every_place_that_must_handle(addition: str, named: dict[str, set[str]]) -> None:
    assert named.get(addition, set()) == PLACES[addition]


@pytest.mark.parametrize(("addition", "recipe"), RECIPES.items())
def test_the_recipe_of_an_addition_names_every_file_with_such_a_place(addition: str, recipe: str) -> None:
    text = Page(Path("docs/changing.md")).sections("## ")[recipe]
    files = {place.partition(" ")[0] for place in PLACES[addition]}
    assert {file for file in files if f"`{file}`" not in text} == set()
