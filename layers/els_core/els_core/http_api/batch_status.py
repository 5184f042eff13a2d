"""Every GET: what the function `batch_status` answers. It reads only."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from els_core.adapters.telemetry.logs_and_metrics import Telemetry
from els_core.application.batch_status import EpochChanged
from els_core.application.concerns import concerns_of
from els_core.application.ports.reading import BatchFilter
from els_core.bootstrap import container
from els_core.contracts import routes
from els_core.contracts.dead_letters import dead_letter_list
from els_core.contracts.http_api import (
    batch_history,
    batch_list,
    batch_status_answer,
    find_answer,
)
from els_core.contracts.page_tokens import (
    found_position,
    history_position,
    item_position,
    list_position,
)
from els_core.contracts.problems import ProblemCode, problem
from els_core.contracts.requests import (
    BatchQuery,
    DeadLetterQuery,
    ListQuery,
    NoQuery,
    PageQuery,
    View,
)
from els_core.contracts.system_state import system_answer
from els_core.http_api.answers import ProblemError, plain, resolver, serve, tagged
from els_core.http_api.requests import caller_of, header_of, id_of, operator_of, query_of

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response

telemetry = Telemetry()
app = resolver("batch_status", telemetry.fault)


def list_batches() -> Response[str]:
    """Answer a page of batches."""
    query = query_of(app.current_event, ListQuery)
    wanted = BatchFilter(
        query.status,
        query.stuck is not None,
        query.parked is not None,
        query.user_id,
        query.org_id,
        query.course_code,
        query.created_after,
    )
    position = list_position(query.page_token)
    page = container().browse_batches(_caller_org()).batches(wanted, position, query.page_size)
    return tagged(batch_list(page), _known_tag())


def get_batch(batch_id: str) -> Response[str]:
    """Answer where a batch stands; a look at file names leaves a line in the log."""
    query = query_of(app.current_event, BatchQuery)
    caller = caller_of(app.current_event, container().settings.organisation_claim)
    known = id_of(batch_id, "batch_id", ProblemCode.UNKNOWN_BATCH)
    found = container().batch_status().read(known, item_position(query.page_token), caller.org_id)
    if isinstance(found, EpochChanged):
        moved = "The batch was opened again since the page before: begin with the first page."
        raise ProblemError(problem(ProblemCode.WRONG_EPOCH, moved))
    telemetry.status_read(known, found)
    if found is None:
        raise ProblemError(problem(ProblemCode.UNKNOWN_BATCH))
    with_names = query.view is View.FULL
    if with_names:
        telemetry.file_names_read(known, caller.actor)
    return tagged(batch_status_answer(found, with_names=with_names), _known_tag())


def get_history(batch_id: str) -> Response[str]:
    """Answer a page of what happened to a batch."""
    query = query_of(app.current_event, PageQuery)
    known = id_of(batch_id, "batch_id", ProblemCode.UNKNOWN_BATCH)
    position = history_position(query.page_token)
    page = container().browse_batches(_caller_org()).history(known, position, query.page_size)
    if page is None:
        raise ProblemError(problem(ProblemCode.UNKNOWN_BATCH))
    return tagged(batch_history(known, page), _known_tag())


def find(searched: str) -> Response[str]:
    """Answer where an id occurs."""
    query = query_of(app.current_event, PageQuery)
    known = id_of(searched, "id")
    position = found_position(query.page_token)
    page = container().browse_batches(_caller_org()).find(known, position, query.page_size)
    return tagged(find_answer(known, page), _known_tag())


def get_system() -> Response[str]:
    """Answer what is wrong with the whole system."""
    query_of(app.current_event, NoQuery)
    operator_of(app.current_event, container().settings.organisation_claim)
    report = container().check_health().run()
    for fault in report.faults:
        telemetry.fault(fault)
    return tagged(system_answer(report, concerns_of(report)), _known_tag())


def list_dead_letters() -> Response[str]:
    """Answer what a look into the dead-letter queues shows; a look at bodies leaves a line in the log."""
    query = query_of(app.current_event, DeadLetterQuery)
    caller = operator_of(app.current_event, container().settings.organisation_claim)
    letters = container().dead_letters
    if query.queue is not None and query.queue not in letters.names:
        raise ProblemError(problem(ProblemCode.UNKNOWN_QUEUE))
    with_bodies = query.view is View.FULL
    if with_bodies:
        telemetry.dead_letters_read(caller.actor)
    names = letters.names if query.queue is None else [query.queue]
    return plain(dead_letter_list(letters.look(names), with_bodies=with_bodies))


def get_openapi() -> Response[str]:
    """Answer the OpenAPI document, which was made when this was built."""
    query_of(app.current_event, NoQuery)
    text = resources.files("els_core.contracts").joinpath("openapi.json").read_text("utf-8")
    return tagged(text, _known_tag())


def _caller_org() -> str | None:
    return caller_of(app.current_event, container().settings.organisation_claim).org_id


def _known_tag() -> str | None:
    return header_of(app.current_event, "If-None-Match")


for _route, _answer in (
    (routes.LIST_BATCHES, list_batches),
    (routes.GET_BATCH, get_batch),
    (routes.GET_HISTORY, get_history),
    (routes.FIND, find),
    (routes.GET_SYSTEM, get_system),
    (routes.LIST_DEAD_LETTERS, list_dead_letters),
    (routes.GET_OPENAPI, get_openapi),
):
    serve(app, _route, _answer)
