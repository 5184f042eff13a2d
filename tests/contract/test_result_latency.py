"""How long a final result waited to be sent, on the fake and on Postgres."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from els_core.domain.batches import EndedBy
from els_core.domain.events import OutboxMessage
from tests.contract.transactions import decide_and_commit, register
from tests.factories import content

if TYPE_CHECKING:
    from els_core.application.ports.repository import Repository
    from tests.contract.repositories import RepositoryUnderTest

HOUR = timedelta(hours=1)


def test_the_first_sending_of_a_final_result_returns_how_long_it_waited(
    store: RepositoryUnderTest, repository: Repository
) -> None:
    register(repository, 1)
    decide_and_commit(repository, content("a"))
    final = OutboxMessage(UUID(int=7), "b", "Kind", "{}", "digest", is_final=True, ended_by=EndedBy.FULL)
    [first, other] = repository.transact(
        lambda transaction: transaction.enqueue([final, OutboxMessage(UUID(int=8), "b", "Kind", "{}")])
    )
    store.advance(HOUR)
    assert first.position is not None
    assert other.position is not None
    [waited] = repository.delete_sent([first.position, other.position])
    assert waited // HOUR == 1
    again = repository.transact(lambda transaction: transaction.announce_again("b", 1))
    assert again is not None
    assert repository.delete_sent([again.position or 0]) == []
