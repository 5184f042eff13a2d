"""What Postgres holds at the end of an experiment, read from the tables and not through the service."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dev.servers.postgres import PostgresServer


@dataclass(frozen=True)
class DatabaseSnapshot:
    """The rows of all tables, by batch id."""

    batches: Mapping[str, dict[str, Any]]
    slots: Mapping[str, Mapping[str, str]]  # essay id -> status
    assigned: Mapping[str, Mapping[str, str]]  # text storage id -> essay id
    failed: Mapping[str, Mapping[str, str | None]]  # failure identity -> essay id, or None if it was late
    excess: Mapping[str, frozenset[str]]  # text storage ids
    parked: int
    outbox: int

    @classmethod
    def read(cls, postgres: PostgresServer) -> Self:
        """Read all tables."""
        essays = postgres.execute("SELECT batch_id, essay_id, status, text_storage_id FROM essays")
        failures = postgres.execute("SELECT batch_id, identity, essay_id FROM validation_failures")
        excess = postgres.execute("SELECT batch_id, text_storage_id, NULL FROM excess_contents")
        batches: list[dict[str, Any]] = [
            json.loads(str(row))
            for [row] in postgres.execute("SELECT CAST(to_json(b) AS text) FROM batches AS b")
        ]
        [[parked]] = postgres.execute("SELECT count(*) FROM parked_arrivals")
        [[outbox]] = postgres.execute("SELECT count(*) FROM outbox")
        return cls(
            batches={str(batch["batch_id"]): batch for batch in batches},
            slots=_by_batch((batch_id, essay_id, status) for batch_id, essay_id, status, _ in essays),
            assigned=_by_batch(
                (batch_id, content, essay_id)
                for batch_id, essay_id, status, content in essays
                if status == "assigned"
            ),
            failed=_by_batch(failures),
            excess={batch_id: frozenset(contents) for batch_id, contents in _by_batch(excess).items()},
            parked=int(str(parked)),
            outbox=int(str(outbox)),
        )


def _by_batch(rows: Iterable[Sequence[Any]]) -> dict[str, dict[str, Any]]:
    batches: dict[str, dict[str, Any]] = defaultdict(dict)
    for batch_id, name, value in rows:
        batches[batch_id][name] = value
    return batches
