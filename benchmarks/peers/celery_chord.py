"""Celery: a chord for each batch, whose header has a task for each slot; an arrival is the message of a task.

The chord's messages are held back when the batch is registered, and sent as the arrivals come. A duplicate is
the same message again, as a broker redelivers it.
https://docs.celeryq.dev/en/stable/userguide/canvas.html#chords
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from celery import Celery, chord

from benchmarks.peers.protocol import Job, drive

if TYPE_CHECKING:
    from collections.abc import Callable

JOB = Job.read()
app = Celery("peer", broker=f"{JOB.redis_url}/1", backend=f"{JOB.redis_url}/2")


def arrive(identity: str) -> str:
    """Do the work of one slot."""
    return identity


def finish(_: list[str], batch: str) -> None:
    """Announce the final result."""
    JOB.announce(batch)


arrived, finished = app.task(arrive, name="arrive"), app.task(finish, name="finish")


def register(job: Job) -> dict[tuple[str, str], Callable[[Any], None]]:
    """Apply a chord for each batch, and return what sends the message of each arrival."""
    sends: dict[tuple[str, str], Callable[[Any], None]] = {}
    send = app.amqp.send_task_message

    def hold(_: object, name: str, message: Any, **options: Any) -> None:
        batch, _, identity = message.headers["id"].partition("/")
        sends[batch, identity] = lambda producer: send(producer, name, message, **options)

    app.amqp.send_task_message = hold
    identities: dict[str, dict[str, None]] = {}
    for batch, identity in job.arrivals:
        identities.setdefault(batch, {})[identity] = None
    for batch, names in identities.items():
        header = [arrived.s(name).set(task_id=f"{batch}/{name}") for name in names]
        chord(header)(finished.s(batch))
    app.amqp.send_task_message = send
    return sends


def main() -> None:
    """Start a worker with its defaults, and deliver."""
    sends = register(JOB)
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery_chord", "worker"]
    with subprocess.Popen([*command, "--loglevel", "ERROR"], stdout=sys.stderr) as worker:
        while not app.control.ping(timeout=0.5):
            pass
        with app.producer_pool.acquire() as producer:
            drive(JOB, lambda batch, identity: sends[batch, identity](producer))
        worker.terminate()


if __name__ == "__main__":
    main()
