"""The files for local runs in Docker agree with the template, the settings and each other."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import yaml

from dev.deploy.sam import SOURCES, state_of
from dev.programs.tools import ROOT
from els_core.settings import read_settings

if TYPE_CHECKING:
    import pytest

TEMPLATE = (ROOT / "template.yaml").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "dev" / "compose.yaml").read_text("utf-8"))
LOCAL = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))["default"]["local_invoke"]["parameters"]
VARIABLES = json.loads((ROOT / LOCAL["env_vars"]).read_text("utf-8"))


def test_every_function_of_the_template_has_its_variables_for_sam_local() -> None:
    assert set(VARIABLES) == set(re.findall(r"(?m)^  (\w+Function):$", TEMPLATE))


def test_the_variables_for_sam_local_are_those_of_the_template_and_the_settings_take_them() -> None:
    declared = set(re.findall(r"\b(ELS_[A-Z_]+):", TEMPLATE))
    used = {name for variables in VARIABLES.values() for name in variables}
    assert used == declared, "sam local overrides only what the template declares"
    for variables in VARIABLES.values():
        settings = read_settings(variables).model_dump(by_alias=True)
        assert {name: str(settings[name]).lower() for name in variables} == {
            name: value.lower() for name, value in variables.items()
        }


def test_sam_local_joins_the_network_of_the_containers_and_names_them() -> None:
    assert LOCAL["docker_network"] == COMPOSE["networks"]["default"]["name"]
    hosts = set(re.findall(r"[@/](\w+):\d+", json.dumps(VARIABLES)))
    assert hosts == set(COMPOSE["services"])


def test_every_port_of_a_container_is_bound_to_this_machine() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service["ports"]]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


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
