"""A walkthrough about one batch, told to the use cases on fakes and on real stores alike.

Each call may be made twice, and Redis may forget everything before it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from els_core.application.steer_batch import Answered
from els_core.domain.outcomes import Duplicate, name_of
from tests.factories import command_request, content, failure, registration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from els_core.application.register_batch import RegistrationAnswer
    from els_core.application.steer_batch import SteerBatch, SteeringAnswer
    from els_core.domain.arrivals import Arrival
    from els_core.domain.batches import BatchSnapshot, Registration
    from els_core.domain.commands import Command, CommandAnswer
    from els_core.domain.events import OutboxMessage


class Stage(Protocol):
    """The use cases on some stores, and what a test reads and does beside them."""

    steer_batch: SteerBatch

    def register(self, *registrations: Registration) -> Any: ...
    def provision(self, *arrivals: Arrival) -> Any: ...
    def expire(self) -> Any: ...
    def snapshot(self, batch_id: str = "b") -> BatchSnapshot: ...
    def messages(self) -> Sequence[OutboxMessage]: ...
    def flush(self) -> None: ...
    def pass_the_deadline(self) -> None: ...
    def others(self) -> Mapping[str, set[str]]: ...


def c(name: str, supersedes: str | None = None) -> Arrival:
    """Return a content, such as `c("c4", "c1")` for c4 that supersedes c1; f and g are failures."""
    named = identity(supersedes) if supersedes else None
    return failure(name, supersedes=named) if name[0] in "fg" else content(name, supersedes=named)


def identity(name: str) -> str:
    return f"upload:{name}" if name[0] in "fg" else f"content:{name}"


@dataclass
class Walkthrough:
    stage: Stage
    twice: bool = False
    forgets: bool = False
    _ids: count[int] = field(default_factory=count)

    def register(self, slots: int, timeout_seconds: int = 3_600) -> Sequence[RegistrationAnswer]:
        self._forget()
        answers: Sequence[RegistrationAnswer] = self.stage.register(
            *[registration(slots, timeout_seconds=timeout_seconds)] * (1 + self.twice)
        ).answers
        return answers

    def arrive(self, *arrivals: Arrival) -> list[str]:
        """Provision in one call; return the names of the outcomes."""
        self._forget()
        outcomes = self.stage.provision(*arrivals).outcomes
        if self.twice:
            self._forget()
            again = self.stage.provision(*arrivals).outcomes
            assert [name_of(one) for one in again if not isinstance(one, Duplicate)] == [
                "parked" for one in again if name_of(one) == "parked"
            ]
        return [name_of(outcome) for outcome in outcomes]

    def steer(self, command: Command, **options: Any) -> CommandAnswer:
        """Command under a new id; return the answer, which must be one."""
        answer = self.answer(command, f"command-{next(self._ids)}", **options)
        assert isinstance(answer, Answered)
        return answer.answer

    def answer(self, command: Command, command_id: str, **options: Any) -> SteeringAnswer:
        self._forget()
        request = command_request(command, command_id, **options)
        [answer] = self.stage.steer_batch.steer([request]).answers
        if self.twice and isinstance(answer, Answered) and not request.is_dry_run:
            version = self.stage.snapshot().batch.version
            [again] = self.stage.steer_batch.steer([request]).answers
            assert again == Answered(answer.answer, is_repeated=True)
            assert self.stage.snapshot().batch.version == version
        return answer

    def _forget(self) -> None:
        if self.forgets:
            self.stage.flush()

    def state(self) -> str:
        """Return the batch in short, such as "ready {c1 c2} excess {c3}"."""
        snapshot = self.stage.snapshot()
        parts: dict[str, set[str]] = {
            "": {slot.text_storage_id for slot in snapshot.assigned},
            "failed": {one.identity.partition(":")[2] for one in snapshot.slot_failures},
            **self.stage.others(),
        }
        told = [f"{name} {{{' '.join(sorted(held))}}}".strip() for name, held in parts.items() if held]
        assert snapshot.batch.expected_count == len(snapshot.available) + len(snapshot.assigned) + len(
            snapshot.slot_failures
        )
        return " ".join([snapshot.batch.status.value, *told])

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Return the data of each different event of these types, in the order of their first sending."""
        seen = {one.event_id: one for one in reversed(self.stage.messages()) if one.detail_type in types}
        return [json.loads(one.detail)["data"] for one in reversed(seen.values())]

    def ends(self) -> list[str]:
        """Return each different final result with its epoch, such as "BatchEssaysReady 1 full"."""
        finals = {one.event_id: one for one in reversed(self.stage.messages()) if one.is_final}
        told = [(one.detail_type, json.loads(one.detail)["data"]) for one in reversed(finals.values())]
        return [f"{name} {data['epoch']} {data['ended_by']}" for name, data in told]
