"""The ports `Coordinator` and `CoordinatorInspector` on Redis and Valkey."""

from __future__ import annotations

import json
from itertools import batched, chain
from typing import TYPE_CHECKING, Any, assert_never

from redis.exceptions import RedisClusterException, RedisError

from els_core.adapters.redis import keys
from els_core.adapters.redis.keys import key
from els_core.adapters.redis.script_runner import (
    Call,
    Script,
    is_script_error,
    unreachable,
)
from els_core.domain.arrivals import ArrivalKind, Content, Failure, content_identity, key_of
from els_core.domain.audit import CoordinatorView
from els_core.domain.batches import AssignedSlot, Status
from els_core.domain.outcomes import Proposal, ProposalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from redis import Redis
    from redis.cluster import RedisCluster

    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.batches import BatchSnapshot

_UNKNOWN = Proposal(ProposalKind.UNKNOWN)
_WITH_SLOT = frozenset({ProposalKind.ASSIGNED, ProposalKind.DUPLICATE, ProposalKind.FAILED})


class RedisCoordinator:
    """One pipeline per call, whatever the number of batches and arrivals."""

    def __init__(self, client: Redis | RedisCluster, retention: timedelta) -> None:
        self._client = client
        self._retention = int(retention.total_seconds())
        self._propose = Script("propose")
        self._install = Script("install")
        self._inspect = Script("inspect")

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        """Propose a slot per arrival; a reply that makes no sense is `unknown`."""
        groups: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            groups.setdefault(arrival.batch_id, []).append(arrival)
        calls = [
            Call(_keys(batch_id, 5), [_json([_argument(arrival) for arrival in group]), *self._times(now)])
            for batch_id, group in groups.items()
        ]
        proposals: dict[ArrivalKey, Proposal] = {}
        for group, answers in zip(groups.values(), self._propose.run(self._client, calls), strict=True):
            sensible = (
                answers if isinstance(answers, list) and len(answers) == len(group) else [""] * len(group)
            )
            proposals.update(zip(map(key_of, group), map(_proposal, sensible), strict=True))
        return [proposals[key_of(arrival)] for arrival in arrivals]

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        """Write the batches as they stood at the version of their row."""
        calls = [
            Call(_keys(snapshot.batch.batch_id, 6), [_json(_state(snapshot)), *self._times(now)])
            for snapshot in snapshots
        ]
        self._install.run(self._client, calls)

    def inspect(self, batch_ids: Sequence[str]) -> list[CoordinatorView | None]:
        """Return what Redis knows of each batch; what cannot be read counts as unknown."""
        names = (keys.AVAILABLE_SLOTS, keys.CONTENTS, keys.FAILURES, keys.METADATA)
        calls = [Call([key(batch_id, name) for name in names], ()) for batch_id in batch_ids]
        return [_view(answer) for answer in self._inspect.run(self._client, calls)]

    def get_assigned_count(self, batch_id: str) -> int:
        """Return the number of slots that are proposed to contents."""
        return int(self._ask(lambda: self._client.hlen(key(batch_id, keys.ASSIGNMENTS))) or 0)

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        """Return the slots that are proposed to contents, sorted by essay id."""
        held = self._ask(lambda: self._client.hgetall(key(batch_id, keys.ASSIGNMENTS))) or {}
        return [AssignedSlot(essay_id, *json.loads(content)) for essay_id, content in sorted(held.items())]

    def get_missing_slots(self, batch_id: str) -> list[str]:
        """Return the free slots, sorted."""
        return sorted(self._ask(lambda: self._client.smembers(key(batch_id, keys.AVAILABLE_SLOTS))) or ())

    def _times(self, now: datetime) -> tuple[float, int]:
        return now.timestamp(), self._retention

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (RedisError, RedisClusterException, OSError) as error:
            if is_script_error(error):
                return None
            raise unreachable("ask about a batch", error) from error


def _keys(batch_id: str, count: int) -> list[str]:
    return [key(batch_id, name) for name in keys.ALL[:count]]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _view(answer: object) -> CoordinatorView | None:
    if not isinstance(answer, list):
        return None
    version, proposed_at, available, contents, failures = answer
    held = {content_identity(name): essay_id for name, essay_id in batched(contents, 2, strict=True)}
    held |= dict(batched(failures, 2, strict=True))
    return CoordinatorView(
        int(version), frozenset(available), held, float(proposed_at) if proposed_at else None
    )


def _argument(arrival: Arrival) -> list[str]:
    match arrival:
        case Content():
            metadata = (arrival.text_storage_id, arrival.original_file_name, arrival.file_upload_id)
            return [ArrivalKind.CONTENT, arrival.text_storage_id, _json(metadata)]
        case Failure():
            return [ArrivalKind.FAILURE, arrival.identity]
        case _:
            assert_never(arrival)


def _proposal(answer: object) -> Proposal:
    word, _, essay_id = str(answer).partition(" ")
    if word in _WITH_SLOT and essay_id:
        return Proposal(ProposalKind(word), essay_id)
    return Proposal(ProposalKind.FULL) if answer == ProposalKind.FULL else _UNKNOWN


def _state(snapshot: BatchSnapshot) -> dict[str, object]:
    batch = snapshot.batch
    state: dict[str, object] = {"version": batch.version, "status": batch.status}
    if batch.status is Status.AWAITED or batch.deadline is None:
        return state
    state |= {"expected_count": batch.expected_count, "deadline": batch.deadline.timestamp()}
    if batch.status.is_terminal:
        return state
    lists = {
        "available": snapshot.available,
        "assigned": [
            (
                s.essay_id,
                s.text_storage_id,
                _json((s.text_storage_id, s.original_file_name, s.file_upload_id)),
            )
            for s in snapshot.assigned
        ],
        "failed": [(failure.identity, failure.essay_id) for failure in snapshot.slot_failures],
    }
    return dict(chain(state.items(), lists.items()))
