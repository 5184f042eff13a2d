"""Every POST: what the function `operator_api` answers. The same request again is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never
from uuid import NAMESPACE_URL, uuid5

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.application.commands import CommandRequest, Door, Sender
from els_core.application.decision_step import StoreRejection
from els_core.application.message_consumer import Retry
from els_core.application.steer_batch import Answered, BatchNotFound, CommandIdReused
from els_core.bootstrap import container
from els_core.contracts import routes
from els_core.contracts.command_answers import command_result
from els_core.contracts.commands import arguments_of
from els_core.contracts.problems import Problem, ProblemCode, problem
from els_core.contracts.requests import IDEMPOTENCY_KEY, CommandBody, NoQuery, RedriveBody
from els_core.contracts.system_answers import CommandResult, RedriveAnswer
from els_core.http_api.answers import ProblemError, plain, resolver, serve
from els_core.http_api.requests import body_of, caller_of, header_of, id_of, operator_of, query_of

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response

    from els_core.application.steer_batch import SteeringAnswer


RESERVE_MILLISECONDS = 15_000  # what ten messages may take in the worst case, and the answer

telemetry = Telemetry()
app = resolver("operator_api", telemetry.fault)


def command(batch_id: str) -> Response[str]:
    """Judge a command and answer it from the transaction that did what it says."""
    query_of(app.current_event, NoQuery)
    request = _request(batch_id)
    result = container().operator_api().steer([request])
    telemetry.commands_judged([request], result)
    [answer] = result.answers
    found = _answer(answer, is_dry_run=request.is_dry_run)
    if isinstance(found, Problem):
        raise ProblemError(found)
    return plain(found)


def redrive() -> Response[str]:
    """Put dead letters back into their queue."""
    query_of(app.current_event, NoQuery)
    body = body_of(app.current_event, RedriveBody)
    caller = operator_of(app.current_event, container().settings.organisation_claim)
    letters = container().dead_letters
    if body.queue not in letters.names:
        raise ProblemError(problem(ProblemCode.UNKNOWN_QUEUE))
    before = letters.count(body.queue)
    most = min(body.max_count, before)
    moved = 0 if body.dry_run else letters.redrive(body.queue, most, _has_time)
    telemetry.dead_letters_redriven(body.queue, moved, caller.actor)
    would = most if body.dry_run else moved
    return plain(
        RedriveAnswer(
            queue=body.queue,
            redriven_count=would,
            remaining_count=max(before - would, 0),
            is_dry_run=body.dry_run,
        )
    )


def _has_time() -> bool:
    return bool(app.lambda_context.get_remaining_time_in_millis() > RESERVE_MILLISECONDS)


def _request(batch_id: str) -> CommandRequest:
    known = id_of(batch_id, "batch_id", ProblemCode.UNKNOWN_BATCH)
    body = body_of(app.current_event, CommandBody)
    caller = caller_of(app.current_event, container().settings.organisation_claim)
    command_id = id_of(header_of(app.current_event, IDEMPOTENCY_KEY), IDEMPOTENCY_KEY)
    return CommandRequest(
        **arguments_of(body),
        batch_id=known,
        command_id=command_id,
        sender=Sender(Door.API, caller.source, caller.actor, caller.org_id),
        correlation_id=str(uuid5(NAMESPACE_URL, f"urn:els:command:{known}:{command_id}")),
        is_dry_run=body.dry_run,
    )


def _answer(answer: SteeringAnswer, *, is_dry_run: bool) -> CommandResult | Problem:
    match answer:
        case Answered():
            result = command_result(answer, is_dry_run=is_dry_run)
            refusal = result.refusal
            return result if refusal is None else problem(ProblemCode(refusal.value), command=result)
        case CommandIdReused():
            return problem(ProblemCode.COMMAND_ID_REUSED, field=IDEMPOTENCY_KEY)
        case BatchNotFound():
            return problem(ProblemCode.UNKNOWN_BATCH)
        case StoreRejection(reason):
            return problem(ProblemCode.MALFORMED, reason)
        case Retry():
            return problem(ProblemCode.UNAVAILABLE)
        case _:
            assert_never(answer)


serve(app, routes.COMMAND, command)
serve(app, routes.REDRIVE, redrive)
