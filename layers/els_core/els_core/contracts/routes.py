"""The routes of the HTTP API: what each takes and answers, and which scope it needs.

The resolver, the OpenAPI document and a test of the template read this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel

from els_core.contracts.answers import BatchHistory, BatchList, BatchStatusAnswer, FindAnswer
from els_core.contracts.problems import ProblemCode
from els_core.contracts.requests import (
    IDEMPOTENCY_KEY,
    BatchQuery,
    CommandBody,
    DeadLetterQuery,
    ListQuery,
    NoQuery,
    PageQuery,
    Query,
    RedriveBody,
)
from els_core.contracts.system_answers import (
    CommandResult,
    DeadLetterList,
    RedriveAnswer,
    SystemAnswer,
)


class Scope(StrEnum):
    """What a caller may do; an IAM policy names the routes of a scope."""

    READ = "read"
    STEER = "steer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Route:
    """A route. `path` is a template; `problems` are those beside the ones that every route may answer."""

    function: str
    method: str
    path: str
    scope: Scope
    summary: str
    answer: type[BaseModel] | None
    query: type[Query] = NoQuery
    body: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[ProblemCode, ...] = ()

    @property
    def key(self) -> str:
        """Return the key of the route in API Gateway."""
        return f"{self.method} {self.path}"


_REFUSALS = tuple(code for code in ProblemCode if code.is_refusal)
_CONDITIONAL = {"If-None-Match": "the ETag of the last answer: 304 while nothing changed"}

LIST_BATCHES = Route(
    "batch_status",
    "GET",
    "/batches",
    Scope.READ,
    "List batches, the newest first",
    BatchList,
    query=ListQuery,
    headers=_CONDITIONAL,
)
GET_BATCH = Route(
    "batch_status",
    "GET",
    "/batches/{batch_id}",
    Scope.READ,
    "Say where a batch stands and whose move it is",
    BatchStatusAnswer,
    query=BatchQuery,
    headers=_CONDITIONAL,
    problems=(ProblemCode.UNKNOWN_BATCH, ProblemCode.WRONG_EPOCH),
)
GET_HISTORY = Route(
    "batch_status",
    "GET",
    "/batches/{batch_id}/history",
    Scope.READ,
    "Tell what happened to a batch, the oldest first",
    BatchHistory,
    query=PageQuery,
    headers=_CONDITIONAL,
    problems=(ProblemCode.UNKNOWN_BATCH,),
)
FIND = Route(
    "batch_status",
    "GET",
    "/find/{searched}",
    Scope.READ,
    "Find a content, an upload, an event or a registration in all batches",
    FindAnswer,
    query=PageQuery,
    headers=_CONDITIONAL,
)
GET_SYSTEM = Route(
    "batch_status",
    "GET",
    "/system",
    Scope.READ,
    "Say what is wrong with the whole system",
    SystemAnswer,
    headers=_CONDITIONAL,
)
LIST_DEAD_LETTERS = Route(
    "batch_status",
    "GET",
    "/dead-letters",
    Scope.READ,
    "Look into the dead-letter queues",
    DeadLetterList,
    query=DeadLetterQuery,
    problems=(ProblemCode.UNKNOWN_QUEUE,),
)
GET_OPENAPI = Route(
    "batch_status", "GET", "/openapi.json", Scope.READ, "Return the OpenAPI document of this API", None
)
COMMAND = Route(
    "operator_api",
    "POST",
    "/batches/{batch_id}/commands",
    Scope.STEER,
    "Command something for a batch",
    CommandResult,
    body=CommandBody,
    headers={IDEMPOTENCY_KEY: "the id of the command; the same id again gets the first answer again"},
    problems=(ProblemCode.UNKNOWN_BATCH, ProblemCode.COMMAND_ID_REUSED, *_REFUSALS),
)
REDRIVE = Route(
    "operator_api",
    "POST",
    "/dead-letters/redrive",
    Scope.ADMIN,
    "Put the messages of a dead-letter queue back into their queue",
    RedriveAnswer,
    body=RedriveBody,
    problems=(ProblemCode.UNKNOWN_QUEUE,),
)

ROUTES = (
    LIST_BATCHES,
    GET_BATCH,
    GET_HISTORY,
    FIND,
    GET_SYSTEM,
    LIST_DEAD_LETTERS,
    GET_OPENAPI,
    COMMAND,
    REDRIVE,
)
