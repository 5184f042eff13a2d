"""DBOS: a workflow for each batch that receives messages until it has all; an arrival is a message.

The idempotency key of a message is the arrival's identity.
https://docs.dbos.dev/python/tutorials/workflow-communication
"""

from __future__ import annotations

from dbos import DBOS, SetWorkflowID

from benchmarks.peers.protocol import Job, drive

JOB = Job.read()


def announce(batch: str) -> None:
    """Announce the final result."""
    JOB.announce(batch)


announce_once = DBOS.step()(announce)


def collect(batch: str, slots: int) -> None:
    """Receive until every slot is used."""
    seen: set[str] = set()
    while len(seen) < slots:
        seen.add(DBOS.recv(timeout_seconds=600))
    announce_once(batch)


collecting = DBOS.workflow()(collect)


def send(batch: str, identity: str) -> None:
    """Deliver one arrival."""
    DBOS.send(batch, identity, idempotency_key=f"{batch}/{identity}")


def main() -> None:
    """Start a workflow for each batch, and deliver."""
    DBOS(
        config={
            "name": "peer",
            "system_database_url": JOB.postgres_url,
            "log_level": "ERROR",
            "run_admin_server": False,
            "max_executor_threads": len(JOB.batches) + 16,
        }
    )
    DBOS.launch()
    for batch, slots in JOB.batches.items():
        with SetWorkflowID(batch):
            DBOS.start_workflow(collecting, batch, slots)
    drive(JOB, send, in_flight=8)
    DBOS.destroy()


if __name__ == "__main__":
    main()
