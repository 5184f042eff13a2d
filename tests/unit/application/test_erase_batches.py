"""An erasure goes page by page, says what became of each batch, and writes the erased ones to Redis again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.application.erase_batches import PAGE, EraseBatches, Erasure
from els_core.domain.batches import Status
from tests.factories import content, registration
from tests.unit.application.in_memory import InMemoryEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class FakePersonalData:
    """The port `PersonalData`: erases the batches of `erasable`."""

    statuses: Mapping[str, Status]
    erasable: frozenset[str] = frozenset()
    pages: list[Sequence[str]] = field(default_factory=list)

    def batches_of(self, _user_id: str) -> list[str]:
        return sorted(self.statuses)

    def erase(
        self, batch_ids: Sequence[str], _actor: str, _reason: str
    ) -> tuple[Mapping[str, Status], frozenset[str]]:
        self.pages.append(batch_ids)
        return self.statuses, self.erasable & frozenset(batch_ids)


def erase(
    environment: InMemoryEnvironment, personal_data: FakePersonalData, *batch_ids: str
) -> Mapping[str, Erasure]:
    step = environment.post_commit
    use_case = EraseBatches(personal_data, step.repository, step.coordinator, step.clock)
    return use_case.erase(batch_ids, "operator", "request 17")


def test_each_batch_gets_an_answer_of_its_own() -> None:
    known = {"ended": Status.READY, "unsent": Status.TIMED_OUT, "open": Status.OPEN, "named": Status.AWAITED}
    personal_data = FakePersonalData(known, frozenset({"ended"}))
    assert erase(InMemoryEnvironment(), personal_data, *known, "nobody") == {
        "ended": Erasure.ERASED,
        "unsent": Erasure.UNSENT,
        "open": Erasure.NOT_ENDED,
        "named": Erasure.NOT_ENDED,
        "nobody": Erasure.UNKNOWN,
    }


def test_a_transaction_takes_a_page_of_batches() -> None:
    batch_ids = [f"b{number}" for number in range(PAGE + 1)]
    personal_data = FakePersonalData({})
    assert len(erase(InMemoryEnvironment(), personal_data, *batch_ids)) == PAGE + 1
    assert [len(page) for page in personal_data.pages] == [PAGE, 1]


def test_an_erased_batch_is_written_to_redis_again() -> None:
    environment = InMemoryEnvironment()
    environment.register(registration(2))
    environment.provision(content("a"))
    environment.redis.flush()
    assert environment.redis.get_assigned_count("b") == 0
    erase(environment, FakePersonalData({"b": Status.READY}, frozenset({"b"})), "b")
    assert environment.redis.get_assigned_count("b") == len(environment.snapshot().assigned) == 1
