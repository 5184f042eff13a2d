"""The port `Coordinator` in memory: what the Lua scripts do, also on missing and corrupt keys."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from els_core.adapters.redis import keys
from els_core.domain.arrivals import Content, Failure, content_identity
from els_core.domain.audit import CoordinatorView, UnreadableView
from els_core.domain.batches import AssignedSlot, Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.fakes.batch_keys import BatchKeys, Metadata, WrongTypeError
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import CooperativeScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from els_core.application.ports.clock import Clock
    from els_core.application.ports.coordinator import CoordinatorUpdate
    from els_core.domain.arrivals import Arrival

UNKNOWN = Proposal(ProposalKind.UNKNOWN)


class FakeCoordinator:
    """A Redis server. `pick` chooses the member that SPOP takes; by default the smallest."""

    def __init__(
        self,
        clock: Clock | None = None,
        scheduler: CooperativeScheduler | None = None,
        retention: timedelta = timedelta(days=90),
        pick: Callable[[set[str]], str] = min,
    ) -> None:
        self._clock = clock or FakeClock()
        self._scheduler = scheduler or CooperativeScheduler()
        self._retention = int(retention.total_seconds())
        self._pick = pick
        self._batches: dict[str, BatchKeys] = {}
        self.is_down = False

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        self._request("propose")
        groups: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            groups.setdefault(arrival.batch_id, []).append(arrival)
        answers = {name: iter(self._propose_group(name, group, now)) for name, group in groups.items()}
        return [next(answers[arrival.batch_id]) for arrival in arrivals]

    def _propose_group(self, batch_id: str, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        """Run the script `propose`, which looks at the types of all keys before it writes."""
        stored = self.keys_of(batch_id)
        try:
            stored.require(keys.METADATA)
            if stored.metadata is None:
                return [UNKNOWN] * len(arrivals)
            for name in (keys.CONTENTS, keys.FAILURES, keys.AVAILABLE_SLOTS, keys.ASSIGNMENTS):
                stored.require(name)
        except WrongTypeError:
            return [UNKNOWN] * len(arrivals)
        version = stored.metadata.version
        answers = [replace(self._propose_one(stored, one), version=version) for one in arrivals]
        if any(answer.kind in {ProposalKind.ASSIGNED, ProposalKind.FAILED} for answer in answers):
            stored.proposed_at = now.timestamp()
        stored.expires = self._expiry(now, stored.metadata.deadline)
        return answers

    def _propose_one(self, stored: BatchKeys, arrival: Arrival) -> Proposal:
        match arrival:
            case Content():
                proposal = self._take_slot(
                    stored, stored.contents, arrival.text_storage_id, ProposalKind.ASSIGNED
                )
                if proposal.kind is ProposalKind.ASSIGNED and proposal.essay_id is not None:
                    stored.assignments[proposal.essay_id] = _slot(proposal.essay_id, arrival)
                return proposal
            case Failure():
                return self._take_slot(stored, stored.failures, arrival.identity, ProposalKind.FAILED)
            case _:
                assert_never(arrival)

    def _take_slot(
        self, stored: BatchKeys, owners: dict[str, str], name: str, kind: ProposalKind
    ) -> Proposal:
        """Return the slot that this owner has, or take a free one for it."""
        if name in owners:
            return Proposal(ProposalKind.DUPLICATE, owners[name])
        if not stored.available:
            return Proposal(ProposalKind.FULL)
        essay_id = self._pick(stored.available)
        stored.available.remove(essay_id)
        owners[name] = essay_id
        return Proposal(kind, essay_id)

    def install(self, updates: Sequence[CoordinatorUpdate], now: datetime) -> None:
        self._request("install")
        for update in updates:
            self._install(update, now)

    def _install(self, update: CoordinatorUpdate, now: datetime) -> None:
        """Run the script `install`."""
        snapshot = update.snapshot
        batch = snapshot.batch
        known = self.keys_of(batch.batch_id)
        if (
            known.metadata is not None
            and keys.METADATA not in known.wrong_type
            and known.metadata.version > batch.version
            and known.metadata.version != update.replaces
        ):
            return
        stored = self._batches[batch.batch_id] = BatchKeys()
        if batch.status is Status.AWAITED or batch.deadline is None:
            return
        deadline = batch.deadline.timestamp()
        stored.metadata = Metadata(batch.version, batch.status, batch.expected_count, deadline)
        stored.expires = self._expiry(now, deadline)
        if batch.status.is_terminal:
            return
        stored.available = set(snapshot.available)
        stored.assignments = {slot.essay_id: slot for slot in snapshot.assigned}
        stored.contents = {slot.text_storage_id: slot.essay_id for slot in snapshot.assigned}
        stored.failures = {f.identity: f.essay_id for f in snapshot.slot_failures}
        if deadline > now.timestamp():
            stored.times_out = math.ceil(deadline)

    def get_assigned_count(self, batch_id: str) -> int:
        return len(self.get_assigned_essays(batch_id))

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        self._request("get_assigned_essays")
        stored = self.keys_of(batch_id)
        if keys.ASSIGNMENTS in stored.wrong_type:
            return []
        return [slot for _, slot in sorted(stored.assignments.items())]

    def get_missing_slots(self, batch_id: str) -> list[str]:
        self._request("get_missing_slots")
        stored = self.keys_of(batch_id)
        return [] if keys.AVAILABLE_SLOTS in stored.wrong_type else sorted(stored.available)

    def ping(self) -> None:
        self._request("ping")

    def inspect(self, batch_ids: Sequence[str]) -> list[CoordinatorView | UnreadableView | None]:
        self._request("inspect")
        return [_view_of(self.keys_of(batch_id)) for batch_id in batch_ids]

    def keys_of(self, batch_id: str) -> BatchKeys:
        """Return the keys of a batch that have not expired."""
        stored = self._batches.setdefault(batch_id, BatchKeys())
        if stored.expires <= self._clock.now().timestamp():
            stored = self._batches[batch_id] = BatchKeys(wrong_type=stored.wrong_type)
        return stored

    def flush(self) -> None:
        """Delete everything (FLUSHALL)."""
        self._batches.clear()

    def copy(self) -> dict[str, BatchKeys]:
        """Return a copy of everything, as an RDB snapshot or a lagging replica has it."""
        return {batch_id: stored.copy() for batch_id, stored in self._batches.items()}

    def restore(self, copy: dict[str, BatchKeys]) -> None:
        """Replace everything by a copy."""
        self._batches = {batch_id: stored.copy() for batch_id, stored in copy.items()}

    def corrupt(self, batch_id: str, name: str) -> None:
        """Replace a key by a value of another type."""
        stored = self.keys_of(batch_id)
        stored.delete(name)
        stored.wrong_type.add(name)

    def delete_key(self, batch_id: str, name: str) -> None:
        """Delete one key of a batch."""
        self.keys_of(batch_id).delete(name)

    def _request(self, operation: str) -> None:
        self._scheduler.pause(operation)
        if self.is_down:
            raise ExternalServiceError(operation, service="Redis")

    def _expiry(self, now: datetime, deadline: float) -> float:
        return math.floor(max(now.timestamp(), deadline) + self._retention)


def _slot(essay_id: str, content: Content) -> AssignedSlot:
    return AssignedSlot(essay_id, content.text_storage_id, content.original_file_name, content.file_upload_id)


def _view_of(stored: BatchKeys) -> CoordinatorView | UnreadableView | None:
    if stored.wrong_type - {keys.ASSIGNMENTS, keys.TIMEOUT}:
        return UnreadableView()
    if stored.metadata is None:
        return None
    contents = {content_identity(name): essay_id for name, essay_id in stored.contents.items()}
    slot_by_identity = contents | stored.failures
    available = frozenset(stored.available)
    return CoordinatorView(stored.metadata.version, available, slot_by_identity, stored.proposed_at)
