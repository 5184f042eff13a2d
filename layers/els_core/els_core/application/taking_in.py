"""Take in a batch of queue records: what is poisonous goes away alone, what met a fault comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from els_core.domain.errors import CoordinationTimeoutError, ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from els_core.application.ports import DeadLetters


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a queue, as far as taking it in needs it."""

    message_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Poison:
    """What can never succeed, and why; the reason never repeats the input."""

    error_code: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record on its way to the dead-letter queue."""

    record: Record
    poison: Poison


@dataclass(slots=True)
class TakenIn[Item, Report]:
    """What became of the records: reports of the work done, dead letters, faults, and what comes back.

    `undone` are the items that come back because of a fault, and `come_back` the ids of all messages that do.
    """

    reports: list[tuple[Sequence[Item], Report]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    undone: list[Item] = field(default_factory=list)
    come_back: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Intake[Item, Report]:
    """Parses, works in bulk, and keeps one bad record from holding up the others.

    `work` may report items that the record refuses as data: `refusals` finds them, by position.
    """

    parse: Callable[[str], Item | Poison]
    work: Callable[[Sequence[Item]], Report]
    refusals: Callable[[Report], Sequence[Poison | None]]
    dead_letters: DeadLetters

    def __call__(self, records: Sequence[Record]) -> TakenIn[Item, Report]:
        """Take in all records; never raises for one record's sake."""
        taken = TakenIn[Item, Report]()
        good: list[tuple[Record, Item]] = []
        for record in records:
            parsed = self.parse(record.body)
            if isinstance(parsed, Poison):
                taken.dead.append(DeadLetter(record, parsed))
            else:
                good.append((record, parsed))
        if good:
            self._together(good, taken)
        self._bury(taken)
        return taken

    def _together(self, good: Sequence[tuple[Record, Item]], taken: TakenIn[Item, Report]) -> bool:
        """Do the work, one by one where that is needed; tell whether the stores are there."""
        try:
            report = self.work([item for _, item in good])
        except (ExternalServiceError, CoordinationTimeoutError) as fault:
            taken.faults.append(fault)
            self._come_back(good, taken)
            return False
        except Exception as fault:  # noqa: BLE001 - whatever it is, it must not hold up the neighbours
            if len(good) == 1:
                taken.faults.append(fault)
                self._come_back(good, taken)
            else:
                self._one_by_one(good, taken)
        else:
            taken.reports.append(([item for _, item in good], report))
            for (record, _), poison in zip(good, self.refusals(report), strict=True):
                if poison is not None:
                    taken.dead.append(DeadLetter(record, poison))
        return True

    def _one_by_one(self, good: Sequence[tuple[Record, Item]], taken: TakenIn[Item, Report]) -> None:
        """Do the work record by record; what is left when a store fails comes back at once."""
        for position, one in enumerate(good):
            if not self._together([one], taken):
                self._come_back(good[position + 1 :], taken)
                break

    def _come_back(self, good: Sequence[tuple[Record, Item]], taken: TakenIn[Item, Report]) -> None:
        taken.undone.extend(item for _, item in good)
        taken.come_back.extend(record.message_id for record, _ in good)

    def _bury(self, taken: TakenIn[Item, Report]) -> None:
        """Send dead letters; one that the queue does not take comes back instead."""
        try:
            buried = set(self.dead_letters.send(taken.dead)) if taken.dead else set()
        except ExternalServiceError as fault:
            buried = set()
            taken.faults.append(fault)
        taken.come_back.extend(
            dead.record.message_id for dead in taken.dead if dead.record.message_id not in buried
        )
