"""The answers of the HTTP API about the whole system, about commands and about dead letters."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from els_core.application.concerns import Severity
from els_core.contracts.fields import WireModel
from els_core.contracts.outbound import Released
from els_core.domain.batches import Status
from els_core.domain.commands import CommandName, Refusal


class Concern(WireModel):
    """Something that is wrong, in a sentence that says what to do."""

    severity: Severity
    subject: str
    sentence: str


class StoreState(WireModel):
    """Whether a store or a service answers."""

    name: str
    is_up: bool


class QueueState(WireModel):
    """A queue; the counts are approximate."""

    name: str
    waiting: int
    in_flight: int
    is_dead_letter_queue: bool


class BacklogState(WireModel):
    """What waits in Postgres, and for how long the oldest of it; 0 where nothing waits."""

    open_batches: int
    late_batches: int
    stuck_batches: int
    parked_arrivals: int
    oldest_parked_seconds: int
    outbox_events: int
    oldest_outbox_event_seconds: int
    unsent_results: int


class JobState(WireModel):
    """A scheduled job, and when it last ran to its end; null for one that never did."""

    name: str
    seconds_since: int | None


class SystemAnswer(WireModel):
    """The answer of `GET /system`, true at this moment; `concerns` has the worst first.

    `backlog` is null when Postgres does not answer.
    """

    is_well: bool
    concerns: list[Concern]
    stores: list[StoreState]
    backlog: BacklogState | None
    queues: Annotated[list[QueueState] | None, Field(description="null when SQS does not answer")]
    jobs: list[JobState]


class DeadLetter(WireModel):
    """A message in a dead-letter queue. The body only with `view=full`: it may hold file names."""

    queue: str
    message_id: str
    detail_type: str | None
    batch_id: str | None
    event_id: str | None
    error_code: str | None
    field: str | None
    reason: str | None
    receive_count: int
    sent_at: datetime | None
    body: str | None


class DeadLetterQueue(WireModel):
    """A dead-letter queue and about how many messages it holds."""

    queue: str
    count: int


class DeadLetterList(WireModel):
    """The answer of `GET /dead-letters`: what a look into each queue shows, which need not be all."""

    queues: list[DeadLetterQueue]
    dead_letters: list[DeadLetter]


class RedriveAnswer(WireModel):
    """The answer of `POST /dead-letters/redrive`: how many messages went back to their queue."""

    queue: str
    redriven_count: int
    remaining_count: int
    is_dry_run: bool


class CommandResult(WireModel):
    """The answer of `POST /batches/{batch_id}/commands`: status, epoch and version are those afterwards.

    `is_repeated`: the same id was answered before, and this is that answer.
    """

    command_id: str
    command: CommandName
    refusal: Refusal | None
    status: Status
    epoch: int
    version: int
    withdrawn_essay_ids: list[str]
    released: list[Released]
    taken_in_count: int
    is_repeated: bool
    is_dry_run: bool
