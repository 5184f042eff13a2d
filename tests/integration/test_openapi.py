"""Requests made from the OpenAPI document, against the real handlers on real stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dev.openapi import openapi
from tests.integration.http_server import api_gateway
from tests.integration.lambda_functions import call, example_event

if TYPE_CHECKING:
    from schemathesis import Case

    from tests.integration.lambda_functions import DeadLetterQueue

# Who may call is API Gateway's to judge. What is valid by itself may still be wrong for a batch: it is
# refused with a problem, which the document describes.
SCHEMA = schemathesis.openapi.from_dict({key: value for key, value in openapi().items() if key != "security"})
SCHEMA.app = api_gateway
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
BOUNDED = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SCHEMA.parametrize()
@BOUNDED
def test_every_answer_is_one_that_the_document_describes(
    case: Case[Any], dead_letter_queue: DeadLetterQueue
) -> None:
    assert dead_letter_queue.url
    response = case.call_and_validate(checks=CHECKS)
    assert response.status_code < 500


@SCHEMA.include(path_regex="batch_id").parametrize()
@BOUNDED
def test_so_is_every_answer_about_a_batch_that_exists(
    case: Case[Any], dead_letter_queue: DeadLetterQueue
) -> None:
    assert dead_letter_queue.url
    call("register_batch", example_event("register_batch"))
    case.path_parameters["batch_id"] = "batch-1"
    response = case.call_and_validate(checks=CHECKS)
    assert "UNKNOWN_BATCH" not in response.text
