"""`make monitor` asks the health check of the demo that was left running."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dev.demo import session
from dev.demo.environment import Environment
from dev.demo.monitor import FUNCTION, deployed_variables, settings_of
from dev.deploy.stack import Stack
from dev.deploy.template import Template
from els_core.settings import read_settings

INSIDE = {"DatabaseUrl": "postgresql+pg8000://els@postgres:5432/els", "RedisUrl": "redis://valkey:6379"}
QUEUES = [name for each in Template.read().source_queues() for name in (each.name, each.dead_letter_queue)]
URLS = {name: f"http://127.0.0.1:1/0/{name}" for name in (*QUEUES, "UnknownEventsQueue")}
DEPLOYED = Template.read({**INSIDE, **URLS, "OutboundBusName": "out"}).environment(FUNCTION)


def demo() -> Environment:
    return Environment(
        name="els",
        endpoint="http://127.0.0.1:1",
        database_url="postgresql+pg8000://els@127.0.0.1:1/els",
        redis_url="redis://127.0.0.1:1",
        cluster=False,
        given_aws=False,
        given_database=False,
        given_redis=False,
    )


def test_the_settings_are_those_of_the_deployed_function_with_the_stores_of_this_machine() -> None:
    settings = read_settings(settings_of(demo(), DEPLOYED))
    assert (settings.database_url, settings.redis_url) == (demo().database_url, demo().redis_url)
    assert settings.required_event_bus == "out"
    watched = (settings.required_queue_urls, settings.required_dead_letter_queue_urls)
    assert sorted(url for urls in watched for url in urls.values()) == sorted(URLS.values())


def test_the_variables_are_read_from_the_function_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = {"StackResourceDetail": {"PhysicalResourceId": "els-check-health"}}
    asked: list[dict[str, str]] = []

    def describe(**names: str) -> dict[str, dict[str, str]]:
        asked.append(names)
        return resource

    def configuration(**names: str) -> dict[str, dict[str, dict[str, str]]]:
        asked.append(names)
        return {"Environment": {"Variables": DEPLOYED}}

    clients = {
        "cloudformation": SimpleNamespace(describe_stack_resource=describe),
        "lambda": SimpleNamespace(get_function_configuration=configuration),
    }
    monkeypatch.setattr(Stack, "client", lambda _stack, service: clients[service])
    assert deployed_variables(demo()) == DEPLOYED
    assert asked == [
        {"StackName": "els", "LogicalResourceId": FUNCTION},
        {"FunctionName": "els-check-health"},
    ]


def test_without_a_demo_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(session, "SESSION_FILE", tmp_path_factory.mktemp("none") / "session.json")
    with pytest.raises(SystemExit, match="make demo KEEP=1"):
        session.environment_of_session()
