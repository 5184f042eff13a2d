"""A Prometheus that scrapes an exporter; its program comes from the package `prometheus` of Debian."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

import yaml
from urllib3 import request
from urllib3.exceptions import HTTPError

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerProcess, free_port
from dev.programs.tools import environment

FOLDER = Path(__file__).parent
RULES = FOLDER / "rules.yml"
CONFIGURATION = FOLDER / "prometheus.yml"
DASHBOARD = FOLDER / "grafana_dashboard.json"


def why_no_prometheus() -> str | None:
    """Return why there is no Prometheus here, or None where there is one."""
    if shutil.which("prometheus") and shutil.which("promtool"):
        return None
    return "Prometheus is not installed: apt-get install prometheus"


class Prometheus(Lifecycle):
    """One server on 127.0.0.1 with a data folder of its own, which is removed with it."""

    def __init__(self, target_port: int, port: int = 0, scrape_seconds: int = 5) -> None:
        self.port = port or free_port()
        self._target = f"127.0.0.1:{target_port}"
        self._scrape_seconds = scrape_seconds
        self._folder = Path(mkdtemp(prefix="els-prometheus-"))
        self._server: ServerProcess | None = None

    @property
    def url(self) -> str:
        """Return the address of its page."""
        return f"http://127.0.0.1:{self.port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query, each with its labels and its value."""
        answer = request("GET", f"{self.url}/api/v1/query?{urlencode({'query': expression})}", timeout=10)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"{expression}: {body['error']}")
        found: list[dict[str, Any]] = body["data"]["result"]
        return found

    def rules(self) -> set[str]:
        """Return the names of the rules that it has loaded."""
        body = request("GET", f"{self.url}/api/v1/rules", timeout=10).json()
        return {rule["name"] for group in body["data"]["groups"] for rule in group["rules"]}

    def _open(self) -> None:
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(self._configuration()), "utf-8")
        command = [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        self._server = ServerProcess(command, self._folder / "log", environment=environment())
        self._server.start(self._is_ready)

    def close(self) -> None:
        """Kill it and remove its folder."""
        if self._server is not None:
            self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _configuration(self) -> dict[str, Any]:
        interval = f"{self._scrape_seconds}s"
        configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text("utf-8"))
        [job] = configuration["scrape_configs"]
        return configuration | {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [str(FOLDER / name) for name in configuration["rule_files"]],
            "scrape_configs": [job | {"static_configs": [{"targets": [self._target]}]}],
        }

    def _is_ready(self) -> bool:
        try:
            return request("GET", f"{self.url}/-/ready", timeout=1, retries=False).status == 200  # noqa: PLR2004 - OK
        except HTTPError:
            return False


def dashboard_queries() -> dict[str, list[str]]:
    """Return the queries of the Grafana dashboard by the title of their panel."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in panels}
