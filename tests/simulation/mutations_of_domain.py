"""Guards of the rules: what is decided of arrivals, and what is announced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from els_core.application import decision_step, register_batch
from els_core.domain import decisions, events
from els_core.domain.arrivals import Content, key_of
from els_core.domain.batches import Status
from els_core.domain.events import NAMESPACE
from els_core.domain.outcomes import Assigned, Duplicate, Excess, Failed, Late, Parked, ProposalKind, Reason
from tests.fakes.recording import Recording
from tests.simulation.mutations import Mutation, Swap, instead, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from els_core.domain.batches import Batch
    from els_core.domain.outcomes import Proposal


def _trusting(take: Any) -> Callable[..., str | None]:
    def taken(slots: Any, wanted: str | None) -> str | None:
        answer: str | None = take(slots, wanted)
        return wanted or answer

    return taken


def _whatever_the_status(place: Any) -> Callable[..., object]:
    return lambda arrival, _, slots, proposal: place(arrival, Status.OPEN, slots, proposal)


def _even_when_closed(_: object) -> Callable[..., Batch]:
    def expire(batch: Batch, now: Any) -> Batch:
        due = batch.deadline is not None and batch.deadline <= now
        return replace(batch, status=Status.TIMED_OUT) if due else batch

    return expire


def _by_a_fast_clock(expire: Any) -> Callable[..., object]:
    return lambda batch, now: expire(batch, now + timedelta(minutes=5))


def _by_contents_only(complete: Any) -> Callable[..., object]:
    return lambda batch: complete(batch) if batch.assigned_count == batch.expected_count else batch


def _believing(word: ProposalKind, answer: Callable[[Any], object]) -> Callable[[Any], Callable[..., object]]:
    """Return what makes a placing that believes this word of Redis."""

    def make(place: Any) -> Callable[..., object]:
        def placed(arrival: Any, status: Status, slots: Any, proposal: Proposal | None) -> object:
            if proposal and proposal.kind is word and status is Status.OPEN:
                return answer(arrival)
            return place(arrival, status, slots, proposal)

        return placed

    return make


def _no_slot(arrival: Any) -> object:
    reason = Reason.NO_AVAILABLE_SLOT
    return Excess(reason) if isinstance(arrival, Content) else Late(reason)


def _believing_duplicates(decide: Any) -> Callable[..., object]:
    def decided(batch: Batch, arrivals: Any, proposals: Any, locked_view: Any) -> object:
        known = {key: hint for key, hint in proposals.items() if hint.kind is ProposalKind.DUPLICATE}
        old = [arrival for arrival in arrivals if key_of(arrival) in known]
        new = [arrival for arrival in arrivals if key_of(arrival) not in known]
        change = decide(batch, new, proposals, locked_view)
        answers = [(arrival, Duplicate(_first(arrival, known[key_of(arrival)].essay_id))) for arrival in old]
        return replace(change, decided=(*change.decided, *answers))

    return decided


def _first(arrival: Any, essay_id: str) -> Assigned | Failed:
    return Assigned(essay_id) if isinstance(arrival, Content) else Failed(essay_id)


def _numbered(_: object) -> property:
    numbers = count(1)
    return property(lambda _: UUID(int=next(numbers)))


def _same_for_all(_: object) -> property:
    return property(lambda domain_event: uuid5(NAMESPACE, f"{domain_event.batch_id} EssaySlotsAssigned"))


def _one_registration_is_as_good_as_another(answer: Any) -> Callable[..., object]:
    def answered(registrations: Any, batches: Any) -> object:
        rejected = register_batch.Rejected
        return [
            register_batch.Repeated() if isinstance(one, rejected) else one
            for one in answer(registrations, batches)
        ]

    return answered


RULES = (
    without(
        "a proposed slot is taken only if it is still available (decision)",
        300,
        Swap(decisions._FreeSlots, "take", _trusting),  # noqa: SLF001 - the guard lies in there
    ),
    without(
        "a proposed slot is taken only if it is still available (decision and record)",
        300,
        Swap(decisions._FreeSlots, "take", _trusting),  # noqa: SLF001 - the same
        Swap(Recording, "is_available", instead(answer=True)),
    ),
    without("a closed batch gives no slot away", 300, Swap(decisions, "_place", _whatever_the_status)),
    without("only an open batch times out", 300, Swap(decisions, "expire", _even_when_closed)),
    without(
        "an arrival after the deadline is late",
        300,
        Swap(decisions, "expire", lambda _: lambda batch, _: batch),
    ),
    without(
        "the deadline is decided by the record's clock", 300, Swap(decisions, "expire", _by_a_fast_clock)
    ),
    without("failures complete a batch too", 300, Swap(decisions, "complete", _by_contents_only)),
    without(
        "full is believed only when the record agrees",
        300,
        Swap(decisions, "_place", _believing(ProposalKind.FULL, _no_slot)),
    ),
    without(
        "unknown is believed only when the record agrees",
        300,
        Swap(decisions, "_place", _believing(ProposalKind.UNKNOWN, lambda _: Parked())),
    ),
    without(
        "a duplicate is one only when the record agrees",
        300,
        Swap(decision_step, "decide", _believing_duplicates),
    ),
    without(
        "Redis is told what it has wrong",
        300,
        Swap(decision_step, "coordinator_is_current", instead(answer=True)),
    ),
    without(
        "the id of a final result follows from the batch",
        300,
        Swap(events.BatchClosed, "event_id", _numbered),
    ),
    without(
        "each announcement of slots has its own id",
        300,
        Swap(events.SlotsAssigned, "event_id", _same_for_all),
    ),
    without(
        "the first registration stands and the other is announced",
        300,
        Swap(register_batch, "_answer_each", _one_registration_is_as_good_as_another),
    ),
    Mutation(
        "only an open batch completes",
        300,
        (
            Swap(
                decisions,
                "complete",
                lambda complete: (
                    lambda batch: (
                        complete(replace(batch, status=Status.OPEN))
                        if batch.status.is_terminal and batch.is_full
                        else complete(batch)
                    )
                ),
            ),
        ),
        held_by="a closed batch gives no slot away",
    ),
)
