"""python -m dev.demo.monitor: serve the figures of the running demo, and start Prometheus beside it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING

from dev.demo.session import environment_of_session
from dev.observability.exporter import Exporter
from dev.observability.prometheus import Prometheus, why_no_prometheus
from dev.programs.tools import REGION
from els_core.bootstrap import Container
from els_core.settings import read_settings

if TYPE_CHECKING:
    from dev.demo.environment import Environment

EXPORTER_PORT = 9464
PROMETHEUS_PORT = 9090
QUEUES = {
    "register_batch": "RegisterBatch",
    "steer_batch": "SteerBatch",
    "provision_content": "ProvisionContent",
}


def settings_of(environment: Environment) -> dict[str, str]:
    """Return the settings of a health check of the demo."""
    outputs = environment.outputs
    return {
        "ELS_DATABASE_URL": environment.database_url,
        "ELS_REDIS_URL": environment.redis_url,
        "ELS_REDIS_CLUSTER": str(environment.cluster).lower(),
        "ELS_EVENT_BUS": environment.outbound,
        "ELS_QUEUE_URLS": _urls({name: outputs[f"{resource}QueueUrl"] for name, resource in QUEUES.items()}),
        "ELS_DEAD_LETTER_QUEUE_URLS": _urls(
            {name: outputs[f"{resource}DeadLettersUrl"] for name, resource in QUEUES.items()}
        ),
    }


def main() -> None:
    """Serve until interrupted."""
    environment = environment_of_session()
    # What boto3 reads: the local AWS checks no signature.
    os.environ |= {
        "AWS_ENDPOINT_URL": environment.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    container = Container(read_settings(settings_of(environment)))
    with ExitStack() as stack:
        stack.callback(container.close)
        exporter = stack.enter_context(Exporter(container.check_health().run, EXPORTER_PORT))
        print(f"figures:    http://127.0.0.1:{exporter.port}/metrics")
        if (reason := why_no_prometheus()) is None:
            prometheus = stack.enter_context(Prometheus(exporter.port, PROMETHEUS_PORT))
            print(f"Prometheus: {prometheus.url}  (rules and alerts: {prometheus.url}/alerts)")
        else:
            print(reason)
        print("Grafana:    import dev/observability/grafana_dashboard.json\nstop with ^C")
        Event().wait()


def _urls(urls: dict[str, str]) -> str:
    return ",".join(f"{name}={url}" for name, url in urls.items())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
