"""Serves the gauges of the health check at `GET /metrics`, in the text format of Prometheus.

Each request is a health check of its own, so the figures are those of the function `check_health`.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING

from dev.programs.lifecycle import Lifecycle
from els_core.application.gauges import Gauge, gauges_of
from els_core.application.metrics import Metric, MetricUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from els_core.application.check_health import HealthReport

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def prometheus_name(metric: Metric) -> str:
    """Return the name of a gauge in Prometheus, such as `els_sweep_age_seconds` for `SweepAge`."""
    name = f"els_{_WORD.sub('_', metric.metric_name).lower()}"
    return f"{name}_seconds" if metric.unit is MetricUnit.SECONDS else name


def exposition(gauges: Iterable[Gauge]) -> str:
    """Return the gauges as text, those of one metric together."""
    by_metric: dict[Metric, list[Gauge]] = {}
    for gauge in gauges:
        by_metric.setdefault(gauge.metric, []).append(gauge)
    lines: list[str] = []
    for metric, same in by_metric.items():
        name = prometheus_name(metric)
        lines += [f"# HELP {name} {metric.meaning}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(gauge)} {float(gauge.value)}" for gauge in same]
    return "\n".join([*lines, ""])


def _labels(gauge: Gauge) -> str:
    return f'{{queue="{gauge.queue}"}}' if gauge.queue else ""


class Exporter(Lifecycle):
    """An HTTP server on 127.0.0.1; port 0 takes a free one."""

    def __init__(self, check: Callable[[], HealthReport], port: int = 0) -> None:
        lock = Lock()  # a health check has one connection to Postgres

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Answer with the gauges of a new health check; 404 for another path."""
                if self.path != "/metrics":
                    self.send_error(HTTPStatus.NOT_FOUND, explain="the figures are at /metrics")
                    return
                with lock:
                    body = exposition(gauges_of(check())).encode()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Write no line for each request."""

        self._handler = Handler
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        if self._server is None:
            raise RuntimeError("the exporter is not open")
        return self._server.server_port

    def _open(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
