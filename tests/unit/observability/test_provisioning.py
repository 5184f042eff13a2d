"""Prometheus and Grafana of dev/compose.yaml find each other, the rules and the dashboard."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from dev.demo.monitor import EXPORTER_PORT, PROMETHEUS_PORT
from dev.observability.prometheus import CONFIGURATION, DASHBOARD, RULES
from dev.programs.tools import ROOT

DEV = ROOT / "dev"
SERVICES = yaml.safe_load((DEV / "compose.yaml").read_text("utf-8"))["services"]
MONITORING = {name: each for name, each in SERVICES.items() if each.get("profiles") == ["monitor"]}


def mounted(service: str) -> dict[str, Any]:
    """Return what is mounted into a container, the files of this repository by their places in it."""
    volumes = (volume.split(":") for volume in MONITORING[service]["volumes"])
    return {inside: DEV / outside for outside, inside, mode in volumes if mode == "ro"}


def provisioned(kind: str) -> Any:
    return yaml.safe_load(mounted("grafana")[f"/etc/grafana/provisioning/{kind}/els.yaml"].read_text("utf-8"))


@pytest.mark.parametrize("service", MONITORING)
def test_everything_that_is_mounted_exists(service: str) -> None:
    assert set(MONITORING) == {"prometheus", "grafana"}
    assert len(mounted(service)) == len(MONITORING[service]["volumes"])
    assert [place for place in mounted(service).values() if not place.exists()] == []


def test_prometheus_scrapes_what_make_monitor_serves_and_knows_the_rules() -> None:
    [(inside, folder)] = mounted("prometheus").items()
    [option] = [each for each in MONITORING["prometheus"]["command"] if each.startswith("--config.file=")]
    assert option == f"--config.file={inside}/{CONFIGURATION.name}"
    configuration = yaml.safe_load((folder / CONFIGURATION.name).read_text("utf-8"))
    assert [folder / name for name in configuration["rule_files"]] == [RULES]
    [job] = configuration["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{EXPORTER_PORT}"]}]


def test_the_data_source_is_the_prometheus_of_make_monitor_and_of_the_container() -> None:
    [source] = provisioned("datasources")["datasources"]
    assert source["url"] == f"http://127.0.0.1:{PROMETHEUS_PORT}"
    assert f"--web.listen-address={urlsplit(source['url']).netloc}" in MONITORING["prometheus"]["command"]


def test_the_dashboard_asks_the_data_source_that_is_provisioned() -> None:
    [source] = provisioned("datasources")["datasources"]
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    [variable] = dashboard["templating"]["list"]
    assert variable["current"] == {"text": source["name"], "value": source["uid"]}
    asked = {panel["datasource"]["uid"] for panel in dashboard["panels"]}
    assert (asked, variable["type"], variable["query"]) == (
        {f"${{{variable['name']}}}"},
        "datasource",
        source["type"],
    )


def test_the_dashboard_is_where_its_provider_looks() -> None:
    [provider] = provisioned("dashboards")["providers"]
    home = MONITORING["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert mounted("grafana")[home] == DASHBOARD
    assert home.rpartition("/")[0] == provider["options"]["path"]


@pytest.mark.parametrize("service", MONITORING)
def test_both_listen_on_this_machine_alone(service: str) -> None:
    assert MONITORING[service]["network_mode"] == "host"
    listening = [
        *MONITORING[service].get("command", []),
        MONITORING[service].get("environment", {}).get("GF_SERVER_HTTP_ADDR", ""),
    ]
    assert any("127.0.0.1" in each for each in listening)
