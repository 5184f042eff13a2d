"""The problems that the HTTP API answers (RFC 9457): a stable type and a status code for each reason."""

from enum import StrEnum

from els_core.contracts.fields import WireModel
from els_core.contracts.system_answers import CommandResult
from els_core.domain.commands import Refusal

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:els:problem:"
RETRY_AFTER_SECONDS = 5


class ProblemCode(StrEnum):
    """Why a request is not answered as it was meant."""

    MALFORMED = "MALFORMED"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN_ROUTE = "UNKNOWN_ROUTE"
    UNKNOWN_BATCH = "UNKNOWN_BATCH"
    UNKNOWN_QUEUE = "UNKNOWN_QUEUE"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    COMMAND_ID_REUSED = "COMMAND_ID_REUSED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    # The refusals of commands.
    NOT_REGISTERED = Refusal.NOT_REGISTERED.value
    NOT_TERMINAL = Refusal.NOT_TERMINAL.value
    TOO_LATE = Refusal.TOO_LATE.value
    VERSION_CHANGED = Refusal.VERSION_CHANGED.value
    WRONG_EPOCH = Refusal.WRONG_EPOCH.value
    DEADLINE_PAST = Refusal.DEADLINE_PAST.value
    DEADLINE_TOO_FAR = Refusal.DEADLINE_TOO_FAR.value
    EMPTY = Refusal.EMPTY.value
    SLOT_IN_USE = Refusal.SLOT_IN_USE.value
    SLOT_UNKNOWN = Refusal.SLOT_UNKNOWN.value
    SLOT_EXISTS = Refusal.SLOT_EXISTS.value
    TOO_MANY_SLOTS = Refusal.TOO_MANY_SLOTS.value
    NOT_BOUND = Refusal.NOT_BOUND.value
    NOTHING_TO_WAIT_FOR = Refusal.NOTHING_TO_WAIT_FOR.value
    NOTHING_TO_ANNOUNCE = Refusal.NOTHING_TO_ANNOUNCE.value

    @property
    def is_refusal(self) -> bool:
        """Tell whether it is the refusal of a command."""
        return self.value in set(Refusal)


# Status and title of each. A refusal that is not about the state of the batch is about arguments.
MEANINGS: dict[ProblemCode, tuple[int, str]] = {
    ProblemCode.MALFORMED: (400, "The request is malformed"),
    ProblemCode.NOT_ALLOWED: (403, "The caller may not do this"),
    ProblemCode.UNKNOWN_ROUTE: (404, "There is no such route"),
    ProblemCode.UNKNOWN_BATCH: (404, "There is no such batch"),
    ProblemCode.UNKNOWN_QUEUE: (404, "There is no such queue"),
    ProblemCode.METHOD_NOT_ALLOWED: (405, "The route does not take this method"),
    ProblemCode.COMMAND_ID_REUSED: (422, "The id came before with another command"),
    ProblemCode.UNAVAILABLE: (503, "A store is down or busy"),
    ProblemCode.INTERNAL: (500, "The service failed"),
    ProblemCode.NOT_REGISTERED: (409, "The batch is not registered"),
    ProblemCode.NOT_TERMINAL: (409, "The batch has not ended"),
    ProblemCode.TOO_LATE: (409, "The batch has ended"),
    ProblemCode.WRONG_EPOCH: (409, "The batch is in another epoch"),
    ProblemCode.VERSION_CHANGED: (412, "The batch has another version"),
    ProblemCode.DEADLINE_PAST: (422, "The deadline has passed already"),
    ProblemCode.DEADLINE_TOO_FAR: (422, "The deadline is more than 14 days away"),
    ProblemCode.EMPTY: (422, "Nothing would be left of the batch"),
    ProblemCode.SLOT_IN_USE: (422, "A slot is in use"),
    ProblemCode.SLOT_UNKNOWN: (422, "The batch has no such slot"),
    ProblemCode.SLOT_EXISTS: (422, "The batch has the slot already"),
    ProblemCode.TOO_MANY_SLOTS: (422, "The batch would have more than 2 000 slots"),
    ProblemCode.NOT_BOUND: (422, "The arrival holds no slot"),
    ProblemCode.NOTHING_TO_WAIT_FOR: (422, "No slot would be free"),
    ProblemCode.NOTHING_TO_ANNOUNCE: (422, "No such epoch has ended"),
}


class Problem(WireModel):
    """What went wrong (RFC 9457). `type` is stable per reason, `code` is its last part.

    `field` is the one that is wrong, `command` the answer of a command that was refused.
    """

    type: str
    title: str
    status: int
    detail: str
    code: ProblemCode
    field: str | None = None
    command: CommandResult | None = None


def problem(
    code: ProblemCode, detail: str = "", *, field: str | None = None, command: CommandResult | None = None
) -> Problem:
    """Return the problem of a code; without a detail its title says all."""
    status, title = MEANINGS[code]
    return Problem(
        type=f"{TYPE}{code}",
        title=title,
        status=status,
        detail=detail or f"{title}.",
        code=code,
        field=field,
        command=command,
    )
