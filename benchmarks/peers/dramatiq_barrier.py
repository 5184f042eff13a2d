"""Dramatiq: a group for each batch, with a completion callback; an arrival is a message of the group.

The negative control: the barrier counts deliveries, so a duplicate counts as another arrival.
https://dramatiq.io/cookbook.html#groups-and-pipelines
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend

from benchmarks.peers.protocol import Job, drive

JOB = Job.read()
broker = RedisBroker(url=JOB.redis_url)
broker.add_middleware(GroupCallbacks(RedisBackend(url=JOB.redis_url)))
dramatiq.set_broker(broker)


def arrive(batch: str, identity: str) -> None:
    """Do the work of one slot."""


def finish(batch: str) -> None:
    """Announce the final result."""
    JOB.announce(batch)


arrived, finished = dramatiq.actor(arrive), dramatiq.actor(finish)


def register(job: Job) -> dict[tuple[str, str], Any]:
    """Run a group for each batch, and return the message of each arrival."""
    messages: dict[tuple[str, str], Any] = {}
    enqueue = broker.enqueue

    def hold(message: Any, **_: object) -> Any:
        messages[tuple(message.args)] = message
        return message

    broker.enqueue = hold
    for batch in job.batches:
        own = dict.fromkeys(identity for name, identity in job.arrivals if name == batch)
        group = dramatiq.group(arrived.message(batch, identity) for identity in own)
        group.add_completion_callback(finished.message(batch))
        group.run()
    broker.enqueue = enqueue
    return messages


def main() -> None:
    """Start workers with their defaults, and deliver."""
    messages = register(JOB)
    command = [sys.executable, "-m", "dramatiq", "benchmarks.peers.dramatiq_barrier", "--processes", "2"]
    with subprocess.Popen(command, stdout=sys.stderr) as workers:
        broker.enqueue(finished.message("ready"))
        while "ready" not in JOB.announced():
            pass
        drive(JOB, lambda batch, identity: broker.enqueue(messages[batch, identity]))
        workers.terminate()


if __name__ == "__main__":
    main()
