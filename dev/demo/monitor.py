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
    from collections.abc import Mapping

    from dev.demo.environment import Environment

EXPORTER_PORT = 9464
PROMETHEUS_PORT = 9090
FUNCTION = "CheckHealthFunction"


def settings_of(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the deployed health check, with the stores as this process reaches them."""
    stores = {"ELS_DATABASE_URL": environment.database_url, "ELS_REDIS_URL": environment.redis_url}
    return {**variables, **stores}


def deployed_variables(environment: Environment) -> Mapping[str, str]:
    """Return the environment variables of the health check that is deployed."""
    stack = environment.stack
    resource = stack.client("cloudformation").describe_stack_resource(
        StackName=environment.name, LogicalResourceId=FUNCTION
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]
    configuration = stack.client("lambda").get_function_configuration(FunctionName=name)
    variables: Mapping[str, str] = configuration["Environment"]["Variables"]
    return variables


def container_of(environment: Environment) -> Container:
    """Return the service with the settings of the demo's health check."""
    # What boto3 reads: the local AWS checks no signature.
    os.environ |= {
        "AWS_ENDPOINT_URL": environment.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return Container(read_settings(settings_of(environment, deployed_variables(environment))))


def main() -> None:
    """Serve until interrupted."""
    container = container_of(environment_of_session())
    with ExitStack() as stack:
        stack.callback(container.close)
        exporter = stack.enter_context(Exporter(container.check_health().run, EXPORTER_PORT))
        print(f"figures:    http://127.0.0.1:{exporter.port}/metrics")
        if (reason := why_no_prometheus()) is None:
            prometheus = stack.enter_context(Prometheus(exporter.port, PROMETHEUS_PORT))
            print(f"Prometheus: {prometheus.url}  (rules and alerts: {prometheus.url}/alerts)")
        else:
            print(reason)
        print("Grafana:    with Docker, as dev/compose.yaml says\nstop with ^C")
        Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
