"""`make monitor` asks the health check of the demo that was left running."""

from __future__ import annotations

import pytest

from dev.demo import session
from dev.demo.environment import Environment
from dev.demo.monitor import QUEUES, settings_of
from els_core.settings import read_settings


def demo() -> Environment:
    outputs = {
        f"{resource}{kind}Url": f"http://127.0.0.1:1/0/{resource}{kind}"
        for resource in QUEUES.values()
        for kind in ("Queue", "DeadLetters")
    }
    url = "postgresql+pg8000://els@127.0.0.1:1/els"
    return Environment(
        name="els",
        endpoint="http://127.0.0.1:1",
        database_url=url,
        redis_url="redis://127.0.0.1:1",
        cluster=False,
        given_aws=False,
        given_database=False,
        given_redis=False,
        outputs=outputs,
    )


def test_the_settings_are_those_of_the_demo() -> None:
    settings = read_settings(settings_of(demo()))
    assert settings.required_event_bus == demo().outbound
    assert settings.required_queue_urls == {
        name: f"http://127.0.0.1:1/0/{resource}Queue" for name, resource in QUEUES.items()
    }
    assert settings.required_dead_letter_queue_urls == {
        name: f"http://127.0.0.1:1/0/{resource}DeadLetters" for name, resource in QUEUES.items()
    }


def test_without_a_demo_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(session, "SESSION_FILE", tmp_path_factory.mktemp("none") / "session.json")
    with pytest.raises(SystemExit, match="make demo KEEP=1"):
        session.environment_of_session()
