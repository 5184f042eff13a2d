"""Experiments run on the queues, rules and settings of template.yaml; another shape of it is noticed here."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from dev.chaos.environment import PARAMETERS
from dev.chaos.lambda_fleet import PROVISIONING_FUNCTION, SCHEDULE
from dev.chaos.producer import CONTENTS, REGISTRATIONS
from dev.deploy.template import Template, TemplateError
from els_core.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

URLS = {
    "DatabaseUrl": "postgresql+pg8000://els@127.0.0.1:5432/postgres",
    "RedisUrl": "redis://127.0.0.1:6379",
    "RegisterBatchDeadLetters": "http://127.0.0.1:4566/dead",
}
RULE, QUEUE, SOURCE = "RegisterBatchRule", "RegisterBatchQueue", "RegisterBatchSource"


@pytest.fixture
def template() -> Template:
    return Template.read(PARAMETERS)


def test_the_events_of_each_queue_and_its_function_are_these(template: Template) -> None:
    queues = {queue.name: queue for queue in template.source_queues()}
    assert {name: queue.event_pattern["detail-type"] for name, queue in queues.items()} == {
        REGISTRATIONS: ["BatchEssaysRegistered"],
        "SteerBatchQueue": ["BatchCommand"],
        CONTENTS: ["EssayContentProvisioned", "EssayValidationFailed"],
    }
    assert {name: queue.function for name, queue in queues.items()} == {
        REGISTRATIONS: "RegisterBatchFunction",
        "SteerBatchQueue": "SteerBatchFunction",
        CONTENTS: PROVISIONING_FUNCTION,
    }


def test_an_experiment_has_every_queue_of_the_template(template: Template) -> None:
    resources = template.document["Resources"].items()
    queues = {name for name, resource in resources if resource["Type"] == "AWS::SQS::Queue"}
    sources = template.source_queues()
    ours = {name for source in sources for name in (source.name, source.dead_letter_queue)}
    assert queues - ours == {"UnknownEventsQueue"}, "which only keeps what no rule takes"


def test_an_experiment_has_every_function_that_runs_each_minute(template: Template) -> None:
    assert template.scheduled(SCHEDULE) == [
        "ExpireBatchesFunction",
        "PublishOutboxFunction",
        "CheckHealthFunction",
    ]


def test_queues_have_the_attributes_of_the_template_and_the_values_of_the_experiment(
    template: Template,
) -> None:
    for queue in template.source_queues():
        assert queue.max_receive_count > 1
        assert queue.batch_size > 0
        assert template.queue_attributes(queue.name) == {
            "VisibilityTimeout": "240",
            "MessageRetentionPeriod": "1209600",
        }
        assert template.queue_attributes(queue.dead_letter_queue) == {"MessageRetentionPeriod": "1209600"}


def test_a_function_has_the_settings_of_the_template_and_the_values_of_the_experiment(
    template: Template,
) -> None:
    settings = template.given(URLS).environment("RegisterBatchFunction")
    assert settings["ELS_DATABASE_URL"] == URLS["DatabaseUrl"]
    assert settings["ELS_REDIS_URL"] == URLS["RedisUrl"]
    assert settings["ELS_EVENT_BUS"] == PARAMETERS["OutboundBusName"]
    assert settings["ELS_PARKING_SECONDS"] == PARAMETERS["ParkingSeconds"]
    assert settings["ELS_DEAD_LETTER_QUEUE_URL"] == URLS["RegisterBatchDeadLetters"]
    assert int(settings["ELS_RETENTION_DAYS"]) > 0


def test_the_health_check_watches_every_queue_and_dead_letter_queue(template: Template) -> None:
    names = [name for queue in template.source_queues() for name in (queue.name, queue.dead_letter_queue)]
    urls = {name: f"http://127.0.0.1:4566/1/{name}" for name in names}
    variables = template.given({**URLS, **urls}).environment("CheckHealthFunction")
    settings = read_settings(variables)
    watched = settings.required_queue_urls | {
        f"{name} (dead letters)": url for name, url in settings.required_dead_letter_queue_urls.items()
    }
    assert sorted(watched.values()) == sorted(urls.values())
    assert settings.required_queue_urls.keys() == settings.required_dead_letter_queue_urls.keys()


@pytest.mark.parametrize("function", ["CheckHealthFunction", "BatchStatusFunction"])
def test_the_health_check_and_the_api_watch_what_no_rule_takes_where_it_is_kept(function: str) -> None:
    sources = Template.read().source_queues()
    names = [name for queue in sources for name in (queue.name, queue.dead_letter_queue)]
    urls = {name: f"http://127.0.0.1:4566/1/{name}" for name in (*names, "UnknownEventsQueue")}
    variables = Template.read({**URLS, **urls, "OutboundBus": "out"}).environment(function)
    settings = read_settings(variables)
    watched = settings.required_dead_letter_queue_urls
    assert watched["unknown_events"] == urls["UnknownEventsQueue"]
    assert watched.keys() - settings.required_queue_urls.keys() == {"unknown_events"}


def test_time_and_memory_of_a_function_are_its_own_or_those_of_all(template: Template) -> None:
    assert template.timeout_seconds(PROVISIONING_FUNCTION) == 30
    assert template.timeout_seconds("MigrateDatabaseFunction") == 300
    assert template.memory_mb(PROVISIONING_FUNCTION) == template.document["Globals"]["Function"]["MemorySize"]


def properties(document: dict[str, Any], resource: str) -> dict[str, Any]:
    found: dict[str, Any] = document["Resources"][resource]["Properties"]
    return found


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a queue without a rule": (
        lambda document: document["Resources"].pop(RULE),
        rf"{QUEUE} is the target of the rules \[\]",
    ),
    "a queue with two rules": (
        lambda document: document["Resources"].update(Another=document["Resources"][RULE]),
        rf"{QUEUE} is the target of the rules \['{RULE}', 'Another'\]",
    ),
    "a queue without a dead-letter queue": (
        lambda document: properties(document, QUEUE).pop("RedrivePolicy"),
        f"{QUEUE} has no RedrivePolicy",
    ),
    "a queue that does not exist": (
        lambda document: document["Resources"].pop(QUEUE),
        f"no resource {QUEUE}",
    ),
    "a queue that is named by text": (
        lambda document: properties(document, SOURCE).update(EventSourceArn="arn:aws:sqs:::queue"),
        "arn:aws:sqs:::queue names no resource",
    ),
    "a parameter without a value": (
        lambda document: properties(document, SOURCE).update(BatchSize={"Ref": QUEUE}),
        f"{QUEUE} has neither a value nor a default",
    ),
    "a function that the reader does not know": (
        lambda document: properties(document, SOURCE).update(BatchSize={"Fn::Join": ["", ["1", "0"]]}),
        "template.yaml uses Fn::Join",
    ),
    "a condition that the reader does not know": (
        lambda document: (
            document["Conditions"].update(IsOdd={"Fn::Odd": [1]}),
            properties(document, SOURCE).update(BatchSize={"Fn::If": ["IsOdd", 1, 2]}),
        ),
        "template.yaml has the condition",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_template_that_cannot_be_read_is_refused_with_the_reason(template: Template, what: str) -> None:
    make_wrong, reason = WRONG[what]
    document = deepcopy(dict(template.document))
    make_wrong(document)
    with pytest.raises(TemplateError, match=reason):
        Template(document, PARAMETERS).source_queues()


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ({"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, {}, ["then"]),
        ({"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, {"Stage": "prod"}, []),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "dev"]}]}, {}, []),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "dev"]}]}, {"Stage": "prod"}, ["then"]),
    ],
)
def test_a_condition_decides_which_value_is_used_and_whether_there_is_one(
    condition: dict[str, Any], values: dict[str, str], expected: list[str]
) -> None:
    document = {"Parameters": {"Stage": {"Default": "dev"}}, "Conditions": {"Is": condition}}
    value = {"Fn::If": ["Is", "then", {"Ref": "AWS::NoValue"}]}
    template = Template(document, values)
    assert template.resolve([value]) == expected
    assert template.resolve({"name": value}) == ({"name": "then"} if expected else {})
