"""The port `PersonalData`: one transaction that locks the batches and erases in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from els_core.adapters.postgres import statements
from els_core.adapters.postgres.calls import Call, json_of
from els_core.domain.batches import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.adapters.postgres.pipeline import Pipeline
    from els_core.adapters.postgres.session import Session


class PostgresPersonalData:
    """Personal data in Postgres."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def batches_of(self, user_id: str) -> list[str]:
        """Find the batches of a user."""
        rows = self._session.read(
            "find batches of a user", statements.READ_BATCHES_OF_USER, {"user_id": user_id}
        )
        return [row["batch_id"] for row in rows]

    def erase(
        self, batch_ids: Sequence[str], actor: str, reason: str
    ) -> tuple[Mapping[str, Status], frozenset[str]]:
        """Lock, then erase: what a decision wrote before the lock is seen by the second statement."""
        ids = json_of(list(batch_ids))

        def work(pipeline: Pipeline) -> tuple[Mapping[str, Status], frozenset[str]]:
            lock = Call("lock batches", statements.LOCK_BATCHES, {"ids": ids})
            locked = pipeline.now(lock).mappings()
            parameters = {"ids": ids, "actor": actor, "reason": reason}
            erase = Call("erase personal data", statements.ERASE_PERSONAL_DATA, parameters)
            erased = pipeline.now(erase).mappings()
            statuses = {row["batch_id"]: Status(row["status"]) for row in locked}
            return statuses, frozenset(row["batch_id"] for row in erased)

        return self._session.transact(work)
