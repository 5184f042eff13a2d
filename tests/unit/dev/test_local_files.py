"""The files for local runs in Docker agree with the template, the settings and each other."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dev.deploy.introspection import SamFacts, ask_sam
from dev.deploy.sam import SOURCES, state_of
from dev.programs.tools import REGION, ROOT
from els_core.contracts.routes import ROUTES
from els_core.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPOSE = yaml.safe_load((ROOT / "dev" / "compose.yaml").read_text("utf-8"))
SERVERS = {name: each for name, each in COMPOSE["services"].items() if "profiles" not in each}
HOOK = (ROOT / "dev" / "localstack_ready.sh").read_text("utf-8")
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))["default"]
LOCAL = {command: CONFIG[command]["parameters"] for command in CONFIG if command.startswith("local_")}
ENVIRONMENT_FILE: dict[str, Any] = json.loads((ROOT / "dev" / "sam_local.json").read_text("utf-8"))
ENDPOINT = "http://localstack:4566"
DEAD_LETTERS = f"{ENDPOINT}/000000000000/"


@pytest.fixture(scope="module")
def sam_local() -> SamFacts:
    """Return what SAM's own code gives each function and serves, with the files of this repository."""
    return ask_sam(environment_file=ENVIRONMENT_FILE)


def test_sam_local_gives_every_function_settings_that_hold(sam_local: SamFacts) -> None:
    assert len(sam_local.variables) == 10
    for variables in sam_local.variables.values():
        settings = read_settings(variables)
        assert (settings.redis_cluster, settings.event_bus) == (False, "els-out")
        assert {settings.database_url.partition("@")[2], settings.redis_url} == {
            "postgres:5432/els",
            "redis://valkey:6379",
        }


def test_no_function_of_sam_local_calls_the_real_aws(sam_local: SamFacts) -> None:
    for variables in sam_local.variables.values():
        assert variables["AWS_ENDPOINT_URL"] == ENDPOINT


def test_sam_local_overrides_only_what_the_template_declares(sam_local: SamFacts) -> None:
    for function, variables in sam_local.variables.items():
        wanted: Mapping[str, str] = ENVIRONMENT_FILE["Parameters"] | ENVIRONMENT_FILE.get(function, {})
        assert {name: variables.get(name) for name in wanted} == wanted


def test_a_queue_consumer_of_sam_local_has_its_dead_letter_queue(sam_local: SamFacts) -> None:
    urls = {
        function: variables["ELS_DEAD_LETTER_QUEUE_URL"]
        for function, variables in sam_local.variables.items()
        if "ELS_DEAD_LETTER_QUEUE_URL" in variables
    }
    assert urls == {
        "RegisterBatchFunction": f"{DEAD_LETTERS}els-register-batch-dead-letters",
        "SteerBatchFunction": f"{DEAD_LETTERS}els-steer-batch-dead-letters",
        "ProvisionContentFunction": f"{DEAD_LETTERS}els-provision-content-dead-letters",
    }


def test_start_api_serves_the_routes_of_the_template(sam_local: SamFacts) -> None:
    functions = {"batch_status": "BatchStatusFunction", "operator_api": "OperatorApiFunction"}
    expected = [f"{route.key} -> {functions[route.function]}" for route in ROUTES]
    assert sorted(sam_local.routes) == sorted(expected)


def test_the_ready_hook_makes_the_queues_and_the_bus_of_the_environment_file() -> None:
    named = set(re.findall(rf"{DEAD_LETTERS}([\w-]+)", json.dumps(ENVIRONMENT_FILE)))
    [made] = re.findall(r"for queue in ([^;]+);", HOOK)
    assert set(made.split()) == named | {"els-heard"}
    assert f"create-event-bus --name {ENVIRONMENT_FILE['Parameters']['ELS_EVENT_BUS']}\n" in HOOK
    assert '"source": ["els"]' in HOOK


def test_the_ready_hook_runs_and_works_in_the_region_of_the_functions() -> None:
    localstack = COMPOSE["services"]["localstack"]
    assert "./localstack_ready.sh:/etc/localstack/init/ready.d/els.sh:ro" in localstack["volumes"]
    assert (ROOT / "dev" / "localstack_ready.sh").stat().st_mode & 0o111
    assert HOOK.startswith("#!/usr/bin/env bash\n")
    region = CONFIG["global"]["parameters"]["region"]
    assert f"AWS_DEFAULT_REGION={region} " in HOOK
    assert region == REGION == localstack["environment"]["AWS_DEFAULT_REGION"]


@pytest.mark.parametrize("command", ["local_invoke", "local_start_api", "local_start_lambda"])
def test_sam_local_joins_the_network_of_the_containers_and_names_them(command: str) -> None:
    assert LOCAL[command]["docker_network"] == COMPOSE["networks"]["default"]["name"]
    assert LOCAL[command]["env_vars"] == "dev/sam_local.json"
    hosts = set(re.findall(r"[@/](\w+):\d+", json.dumps(ENVIRONMENT_FILE)))
    assert hosts == set(SERVERS)


def test_every_port_of_a_container_is_bound_to_this_machine_and_can_be_chosen() -> None:
    ports = [port for service in SERVERS.values() for port in service["ports"]]
    assert len(ports) == 3
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-(\d+)\}:\1", port) for port in ports)


def test_every_container_says_when_it_is_ready_and_postgres_by_tcp() -> None:
    assert all("healthcheck" in service for service in SERVERS.values())
    postgres = COMPOSE["services"]["postgres"]["healthcheck"]["test"]
    assert postgres[1:] == ["pg_isready", "-h", "127.0.0.1", "-U", "els"]


def test_the_event_of_the_migration_has_no_response_url() -> None:
    events = {path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "events").glob("*.json")}
    assert events["migrate_database"] == {}
    assert not [name for name, event in events.items() if "ResponseURL" in event]


def test_a_build_is_reused_only_while_every_source_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        path = root / name if "." in name else root / name / "code.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("first")
    states = [state_of(root), state_of(root)]
    assert states[0] == states[1]
    for name in SOURCES:
        path = root / name if "." in name else root / name / "code.py"
        path.write_text("second")
        states.append(state_of(root))
    (root / "functions" / "code.py").rename(root / "functions" / "other.py")
    states.append(state_of(root))
    assert len(set(states)) == len(SOURCES) + 2


def test_a_build_for_another_architecture_is_another_build(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path_factory.mktemp("sources")
    states = set()
    for architecture in ("x86_64", "arm64"):
        monkeypatch.setenv("ARCH", architecture)
        states.add(state_of(root))
    assert len(states) == 2
