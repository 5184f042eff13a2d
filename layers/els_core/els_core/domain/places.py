"""The free slots of a batch, and what becomes of an arrival that gets one or gets none. Pure functions."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import Content, Failure, text_storage_id_of
from els_core.domain.batches import Status
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, Reason, Superseded
from els_core.domain.superseding import SupersededArrival

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import Batch
    from els_core.domain.outcomes import Outcome, Proposal

NOTHING: Mapping[str, str] = MappingProxyType({})


class Places:
    """The free slots of one locked batch, each handed out once, and the room for parked arrivals.

    `claims` are slots that arrivals take over, by identity; `by` what is superseded, and by whom; `freed` the
    slots that the superseded had.
    """

    def __init__(
        self,
        free: Sequence[str],
        claims: Mapping[str, str] = NOTHING,
        by: Mapping[str, str] = NOTHING,
        freed: Mapping[str, str] = NOTHING,
        room: int = 0,
    ) -> None:
        self._free = dict.fromkeys(free)
        self._claims = claims
        self.freed = freed
        self._room = room
        self.by = by

    def take(self, identity: str, wanted: str | None) -> str | None:
        """Take the slot that the arrival takes over, else the wanted one if it is free, else any free one."""
        if identity in self._claims:
            return self._claims[identity]
        if wanted is not None and wanted in self._free:
            del self._free[wanted]
            return wanted
        return self._free.popitem()[0] if self._free else None

    def park(self) -> bool:
        """Take room for one parked arrival. One more than any batch has slots can never find a slot."""
        self._room -= 1
        return self._room >= 0

    def superseded(self) -> list[SupersededArrival]:
        """Return what is superseded, with the slots that it had."""
        return [SupersededArrival(one, self.freed.get(one), by) for one, by in self.by.items()]


def place(arrival: Arrival, status: Status, places: Places, proposal: Proposal | None) -> Outcome:
    """Park the arrival of an awaited batch; else give it the slot that it takes over, or a free one."""
    match status:
        case Status.AWAITED:
            if places.park():
                return Parked()
            essay_id, reason = None, Reason.NO_AVAILABLE_SLOT
        case Status.OPEN:
            wanted = proposal.essay_id if proposal else None
            essay_id, reason = places.take(arrival.identity, wanted), Reason.NO_AVAILABLE_SLOT
        case Status.TIMED_OUT:
            essay_id, reason = None, Reason.BATCH_TIMED_OUT
        case Status.CANCELLED:
            essay_id, reason = None, Reason.BATCH_CANCELLED
        case Status.READY | Status.FAILED:
            essay_id, reason = None, Reason.NO_AVAILABLE_SLOT
        case _:
            assert_never(status)
    return without_slot(arrival, reason) if essay_id is None else _with_slot(arrival, essay_id)


def _with_slot(arrival: Arrival, essay_id: str) -> Assigned | Failed:
    """Return what becomes of an arrival that has a slot."""
    match arrival:
        case Content():
            return Assigned(essay_id)
        case Failure():
            return Failed(essay_id)
        case _:
            assert_never(arrival)


def without_slot(arrival: Arrival, reason: Reason) -> Excess | Late:
    """Return what becomes of an arrival that finds no slot."""
    match arrival:
        case Content():
            return Excess(reason)
        case Failure():
            return Late(reason)
        case _:
            assert_never(arrival)


def counted(batch: Batch, outcomes: Sequence[Outcome], superseded: Sequence[SupersededArrival]) -> Batch:
    """Add the slots that these outcomes use to the counts, without those that were freed."""
    assigned, failed = batch.assigned_count, batch.failed_count
    for outcome in outcomes:
        match outcome:
            case Assigned():
                assigned += 1
            case Failed():
                failed += 1
            case Excess() | Late() | Superseded() | Parked() | Duplicate():
                pass
            case _:
                assert_never(outcome)
    freed = [text_storage_id_of(one.identity) is not None for one in superseded if one.essay_id]
    return replace(batch, assigned_count=assigned - sum(freed), failed_count=failed - len(freed) + sum(freed))
