"""The port `Coordinator` in memory: the two scripts, line by line, on keys that may be lost or spoiled."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from els_core.adapters.redis import keys
from els_core.domain.arrivals import Content, content_identity
from els_core.domain.audit import CoordinatorView
from els_core.domain.batches import AssignedSlot, Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Proposal, ProposalKind
from tests.fakes.clock import FakeClock
from tests.fakes.cooperative_scheduler import Turns
from tests.fakes.memory import Memory, Metadata, WrongTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from els_core.application.ports.clock import Clock
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot

UNKNOWN = Proposal(ProposalKind.UNKNOWN)


class FakeCoordinator:
    """Redis. `pick` is SPOP, which takes any member; by default the smallest."""

    def __init__(
        self,
        clock: Clock | None = None,
        turns: Turns | None = None,
        retention: timedelta = timedelta(days=90),
        pick: Callable[[set[str]], str] = min,
    ) -> None:
        self._clock = clock or FakeClock()
        self._turns = turns or Turns()
        self._retention = int(retention.total_seconds())
        self._pick = pick
        self._memories: dict[str, Memory] = {}
        self.is_down = False

    def propose(self, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        self._reach("propose")
        groups: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            groups.setdefault(arrival.batch_id, []).append(arrival)
        answers = {batch_id: iter(self._group(batch_id, group, now)) for batch_id, group in groups.items()}
        return [next(answers[arrival.batch_id]) for arrival in arrivals]

    def _group(self, batch_id: str, arrivals: Sequence[Arrival], now: datetime) -> list[Proposal]:
        """Run the script `propose`; what it did before it stumbled over a key stays done."""
        memory = self.memory(batch_id)
        try:
            memory.require(keys.METADATA)
            if memory.metadata is None:
                return [UNKNOWN] * len(arrivals)
            answers = [self._one(memory, arrival) for arrival in arrivals]
        except WrongTypeError:
            return [UNKNOWN] * len(arrivals)
        if any(answer.kind in {ProposalKind.ASSIGNED, ProposalKind.FAILED} for answer in answers):
            memory.proposed_at = now.timestamp()
        memory.expires = self._expiry(now, memory.metadata.deadline)
        return answers

    def _one(self, memory: Memory, arrival: Arrival) -> Proposal:
        is_content = isinstance(arrival, Content)
        owners = memory.contents if is_content else memory.failures
        name = arrival.text_storage_id if isinstance(arrival, Content) else arrival.identity
        memory.require(keys.CONTENTS if is_content else keys.FAILURES)
        if name in owners:
            return Proposal(ProposalKind.DUPLICATE, owners[name])
        memory.require(keys.AVAILABLE_SLOTS)
        if not memory.available:
            return Proposal(ProposalKind.FULL)
        essay_id = self._pick(memory.available)
        memory.available.remove(essay_id)
        owners[name] = essay_id
        if isinstance(arrival, Content):
            memory.require(keys.ASSIGNMENTS)
            memory.assignments[essay_id] = _slot(essay_id, arrival)
        return Proposal(ProposalKind.ASSIGNED if is_content else ProposalKind.FAILED, essay_id)

    def install(self, snapshots: Sequence[BatchSnapshot], now: datetime) -> None:
        self._reach("install")
        for snapshot in snapshots:
            self._install(snapshot, now)

    def _install(self, snapshot: BatchSnapshot, now: datetime) -> None:
        """Run the script `install`."""
        batch = snapshot.batch
        known = self.memory(batch.batch_id)
        if known.metadata and keys.METADATA not in known.spoiled and self.is_newer(known.metadata, snapshot):
            return
        memory = self._memories[batch.batch_id] = Memory()
        if batch.status is Status.AWAITED or batch.deadline is None:
            return
        deadline = batch.deadline.timestamp()
        memory.metadata = Metadata(batch.version, batch.status, batch.expected_count, deadline)
        memory.expires = self._expiry(now, deadline)
        if batch.status.is_terminal:
            return
        memory.available = set(snapshot.available)
        memory.assignments = {slot.essay_id: slot for slot in snapshot.assigned}
        memory.contents = {slot.text_storage_id: slot.essay_id for slot in snapshot.assigned}
        memory.failures = {f.identity: f.essay_id for f in snapshot.slot_failures if f.essay_id is not None}
        if deadline > now.timestamp():
            memory.times_out = math.ceil(deadline)

    def is_newer(self, known: Metadata, snapshot: BatchSnapshot) -> bool:
        """Tell whether Redis knows a newer state than the one to install."""
        return known.version > snapshot.batch.version

    def get_assigned_count(self, batch_id: str) -> int:
        return len(self.get_assigned_essays(batch_id))

    def get_assigned_essays(self, batch_id: str) -> list[AssignedSlot]:
        self._reach("get_assigned_essays")
        memory = self.memory(batch_id)
        if keys.ASSIGNMENTS in memory.spoiled:
            return []
        return [slot for _, slot in sorted(memory.assignments.items())]

    def get_missing_slots(self, batch_id: str) -> list[str]:
        self._reach("get_missing_slots")
        memory = self.memory(batch_id)
        return [] if keys.AVAILABLE_SLOTS in memory.spoiled else sorted(memory.available)

    def inspect(self, batch_ids: Sequence[str]) -> list[CoordinatorView | None]:
        self._reach("inspect")
        return [self._known(self.memory(batch_id)) for batch_id in batch_ids]

    def _known(self, memory: Memory) -> CoordinatorView | None:
        if memory.metadata is None or memory.spoiled - {keys.ASSIGNMENTS, keys.TIMEOUT}:
            return None
        contents = {content_identity(name): essay_id for name, essay_id in memory.contents.items()}
        held = contents | memory.failures
        return CoordinatorView(memory.metadata.version, frozenset(memory.available), held, memory.proposed_at)

    def memory(self, batch_id: str) -> Memory:
        """Return the keys of a batch; those that have expired are gone."""
        memory = self._memories.setdefault(batch_id, Memory())
        if memory.expires <= self._clock.now().timestamp():
            memory = self._memories[batch_id] = Memory(spoiled=memory.spoiled)
        return memory

    def flush(self) -> None:
        """Forget everything, as FLUSHALL does."""
        self._memories.clear()

    def copy(self) -> dict[str, Memory]:
        """Return a copy of everything, as a snapshot or a replica that lags."""
        return {batch_id: memory.copy() for batch_id, memory in self._memories.items()}

    def restore(self, copy: dict[str, Memory]) -> None:
        """Go back to a copy."""
        self._memories = {batch_id: memory.copy() for batch_id, memory in copy.items()}

    def spoil(self, batch_id: str, name: str) -> None:
        """Put something of another type where the key belongs."""
        memory = self.memory(batch_id)
        memory.lose(name)
        memory.spoiled.add(name)

    def lose(self, batch_id: str, name: str) -> None:
        """Lose one key of a batch, as a hand would."""
        self.memory(batch_id).lose(name)

    def _reach(self, operation: str) -> None:
        self._turns.pause(operation)
        if self.is_down:
            raise ExternalServiceError(operation, service="Redis")

    def _expiry(self, now: datetime, deadline: float) -> float:
        return math.floor(max(now.timestamp(), deadline) + self._retention)


def _slot(essay_id: str, content: Content) -> AssignedSlot:
    return AssignedSlot(essay_id, content.text_storage_id, content.original_file_name, content.file_upload_id)
