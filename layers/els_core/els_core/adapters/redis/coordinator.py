"""The ports `Coordinator` and `CoordinatorInspector` on Redis and Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from pydantic_core import to_json

from els_core.adapters.redis import keys
from els_core.adapters.redis.keys import key
from els_core.adapters.redis.replies import assigned_slots_of, ids_of, proposals_of, view_of
from els_core.adapters.redis.script_runner import Call, Script, ask
from els_core.application.ports.store_calls import unobserved
from els_core.domain.arrivals import ArrivalKind, Content, Failure, key_of
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from redis import Redis
    from redis.cluster import RedisCluster

    from els_core.application.ports.coordinator import CoordinatorUpdate
    from els_core.application.ports.store_calls import ObserveCall
    from els_core.domain.arrivals import Arrival, ArrivalKey
    from els_core.domain.audit import CoordinatorView, UnreadableView
    from els_core.domain.batches import AssignedSlot, BatchSnapshot
    from els_core.domain.outcomes import Proposal


class RedisCoordinator:
    """One pipeline per call, whatever the number of batches and arrivals."""

    def __init__(
        self, client: Redis | RedisCluster, retention: timedelta, observe: ObserveCall = unobserved
    ) -> None:
        self._client = client
        self._observe = observe
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
        for group, reply in zip(groups.values(), self._run(self._propose, calls), strict=True):
            proposals.update(zip(map(key_of, group), proposals_of(reply, len(group)), strict=True))
        return [proposals[key_of(arrival)] for arrival in arrivals]

    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        """Write the batches as they stood at the version of their row."""
        calls = [
            Call(
                _keys(update.snapshot.batch.batch_id, 6),
                [_json(_state(update.snapshot)), *self._times(now), str(update.replaces or "")],
            )
            for update in updates
        ]
        self._run(self._install, calls)

    def inspect(self, batch_ids: Sequence[str]) -> list[CoordinatorView | UnreadableView | None]:
        """Return what Redis knows of each batch."""
        names = (keys.AVAILABLE_SLOTS, keys.CONTENTS, keys.FAILURES, keys.METADATA)
        calls = [Call([key(batch_id, name) for name in names], ()) for batch_id in batch_ids]
        return [view_of(reply) for reply in self._run(self._inspect, calls)]

    def get_assigned_count(self, batch_id: str) -> int:
        """Return the number of slots that are proposed to contents."""
        reply = ask(self._client, lambda: self._client.hlen(key(batch_id, keys.ASSIGNMENTS)))
        return reply if isinstance(reply, int) else 0

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        """Return the slots that are proposed to contents, sorted by essay id."""
        return assigned_slots_of(
            ask(self._client, lambda: self._client.hgetall(key(batch_id, keys.ASSIGNMENTS)))
        )

    def get_missing_slots(self, batch_id: str) -> list[str]:
        """Return the free slots, sorted."""
        return ids_of(ask(self._client, lambda: self._client.smembers(key(batch_id, keys.AVAILABLE_SLOTS))))

    def ping(self) -> None:
        """Return when Redis answers; a cluster is asked on every node."""
        # A cluster's client connects, and fails, when its method is looked up.
        if ask(self._client, lambda: self._client.ping()) is not True:  # noqa: PLW0108
            raise ExternalServiceError("ping", service="Redis", details="no PONG")

    def _run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        with self._observe(script.name):
            return script.run(self._client, calls)

    def _times(self, now: datetime) -> tuple[float, int]:
        return now.timestamp(), self._retention


def _keys(batch_id: str, count: int) -> list[str]:
    return [key(batch_id, name) for name in keys.ALL[:count]]


def _json(value: object) -> str:
    return to_json(value).decode()


def _argument(arrival: Arrival) -> list[str]:
    match arrival:
        case Content():
            metadata = (arrival.text_storage_id, arrival.original_file_name, arrival.file_upload_id)
            return [ArrivalKind.CONTENT, arrival.text_storage_id, _json(metadata)]
        case Failure():
            return [ArrivalKind.FAILURE, arrival.identity]
        case _:
            assert_never(arrival)


def _state(snapshot: BatchSnapshot) -> dict[str, object]:
    batch = snapshot.batch
    state: dict[str, object] = {"version": batch.version, "status": batch.status}
    if batch.status is Status.AWAITED or batch.deadline is None:
        return state
    state |= {"expected_count": batch.expected_count, "deadline": batch.deadline.timestamp()}
    if batch.status.is_terminal:
        return state
    assigned = [(slot.essay_id, slot.text_storage_id, _json(_metadata(slot))) for slot in snapshot.assigned]
    failed = [(failure.identity, failure.essay_id) for failure in snapshot.slot_failures]
    return state | {"available": snapshot.available, "assigned": assigned, "failed": failed}


def _metadata(slot: AssignedSlot) -> tuple[str, str, str | None]:
    return slot.text_storage_id, slot.original_file_name, slot.file_upload_id
