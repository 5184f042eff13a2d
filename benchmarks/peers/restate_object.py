"""Restate: a virtual object for each batch; an arrival is a call of it, with its identity as idempotency key.

The server comes from npm and keeps its log on disk.
https://docs.restate.dev/foundations/services#virtual-object
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import httpx
import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

from benchmarks.peers.protocol import Job, drive

JOB = Job.read()
INGRESS, ADMIN, NODE, SERVICE = JOB.ports
batch_object = restate.VirtualObject("Batch")


async def arrive(context: restate.ObjectContext, _: str) -> int:
    """Count an arrival; the last one announces the final result. The server keeps duplicates away."""
    count = (await context.get("count") or 0) + 1
    context.set("count", count)
    if count == JOB.batches[context.key()]:
        await context.run_typed("announce", JOB.announce, batch=context.key())
    return count


batch_object.handler()(arrive)


def serve_objects() -> None:
    """Serve the virtual objects until the process ends."""
    config = Config()
    config.bind = [f"127.0.0.1:{SERVICE}"]
    asyncio.run(serve(restate.app([batch_object]), config, shutdown_trigger=asyncio.Event().wait))


def wait_until(client: httpx.Client, url: str) -> None:
    """Wait until an address answers."""
    for _ in range(600):
        try:
            if client.get(url).is_success:
                return
        except httpx.HTTPError:
            pass
        Event().wait(0.1)
    raise TimeoutError(f"{url} did not answer within a minute")


def main() -> None:
    """Start the server and the service, introduce them to each other, and deliver."""
    Thread(target=serve_objects, daemon=True).start()
    with ExitStack() as opened:
        folder = opened.enter_context(TemporaryDirectory(prefix="peer-restate-"))
        bound = {
            "RESTATE_BASE_DIR": str(Path(folder, "data")),
            "RESTATE_BIND_ADDRESS": f"127.0.0.1:{NODE}",
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{INGRESS}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{ADMIN}",
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "error",
        }
        server = opened.enter_context(
            subprocess.Popen([str(JOB.program)], env=os.environ | bound, stdout=sys.stderr)
        )
        opened.callback(server.terminate)
        client = opened.enter_context(httpx.Client(timeout=60))
        wait_until(client, f"http://127.0.0.1:{ADMIN}/health")
        client.post(
            f"http://127.0.0.1:{ADMIN}/deployments", json={"uri": f"http://127.0.0.1:{SERVICE}"}
        ).raise_for_status()
        wait_until(client, f"http://127.0.0.1:{INGRESS}/restate/health")

        def call(batch: str, identity: str) -> None:
            client.post(
                f"http://127.0.0.1:{INGRESS}/Batch/{batch}/arrive",
                json=identity,
                headers={"idempotency-key": f"{batch}/{identity}"},
            ).raise_for_status()

        drive(JOB, call, in_flight=16)


if __name__ == "__main__":
    main()
