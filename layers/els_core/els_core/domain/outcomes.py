"""What becomes of an arrival, and what Redis proposed for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Reason(StrEnum):
    """Why an arrival has no slot."""

    NO_AVAILABLE_SLOT = "NO_AVAILABLE_SLOT"
    BATCH_TIMED_OUT = "BATCH_TIMED_OUT"
    BATCH_CANCELLED = "BATCH_CANCELLED"
    REPLACEMENT_FAILED = "REPLACEMENT_FAILED"


@dataclass(frozen=True, slots=True)
class Assigned:
    """A content owns a slot."""

    essay_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure uses a slot."""

    essay_id: str


@dataclass(frozen=True, slots=True)
class Excess:
    """A content found no slot; this is announced."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Late:
    """A failure found no slot; it is stored without one."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another arrival, a release or a re-opening took the place of this one; it never has a slot again."""


@dataclass(frozen=True, slots=True)
class Parked:
    """An arrival waits for the registration of its batch."""


type FinalOutcome = Assigned | Failed | Excess | Late | Superseded


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An arrival came again; it gets its first answer."""

    first: FinalOutcome


type Outcome = FinalOutcome | Duplicate | Parked


def as_duplicate(outcome: Outcome) -> Duplicate | Parked:
    """Return the answer for the same arrival when it comes again; a parked one stays parked."""
    match outcome:
        case Duplicate() | Parked():
            return outcome
        case Assigned() | Failed() | Excess() | Late() | Superseded():
            return Duplicate(outcome)
        case _:
            assert_never(outcome)


def name_of(outcome: Outcome) -> str:
    """Return the name of an outcome in logs and metrics: `assigned`, `duplicate`, `failed` and so on."""
    return type(outcome).__name__.lower()


def slot_of(outcome: Outcome) -> str | None:
    """Return the essay id that the arrival owns or uses, if any."""
    match outcome:
        case Assigned(essay_id) | Failed(essay_id):
            return essay_id
        case Duplicate(first):
            return slot_of(first)
        case Excess() | Late() | Superseded() | Parked():
            return None
        case _:
            assert_never(outcome)


class ProposalKind(StrEnum):
    """The answers of the coordinator."""

    ASSIGNED = "assigned"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    FULL = "full"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the coordinator proposes for one arrival. A hint, never a decision.

    `version` is the version of the batch that Redis claimed at that moment, if it is a sensible one.
    """

    kind: ProposalKind
    essay_id: str | None = None
    version: int | None = None
