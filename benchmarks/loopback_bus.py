"""An HTTP endpoint on 127.0.0.1 that answers PutEvents and keeps the entries, in a process of its own.

It answers DescribeEventBus for a bus of any name. It checks no signature and matches no rule. So every
implementation pays for its client, and hardly anything for the bus.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerProcess, free_port
from dev.programs.tools import ROOT

TERMINAL_EVENT_TYPES = ("BatchEssaysReady", "BatchValidationErrors", "BatchReadinessTimeout")


class LoopbackBus(Lifecycle):
    """Starts and stops the endpoint, and asks it what it has received."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = TemporaryDirectory(prefix="els-bus-")
        command = [sys.executable, "-m", "benchmarks.loopback_bus", str(self.port)]
        environment = {"PYTHONPATH": str(ROOT)}
        self._server = ServerProcess(command, Path(self._folder.name, "log"), environment=environment)

    @property
    def url(self) -> str:
        """Return the endpoint for `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.port}"

    def _open(self) -> None:
        self._server.start(self._is_ready)

    def close(self) -> None:
        """Kill the endpoint and remove its folder."""
        self._server.kill()
        self._folder.cleanup()

    def take_summary(self) -> dict[str, Any]:
        """Return what came since the last call: events by type; terminal ids and times by batch."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/")
        summary: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return summary

    def _is_ready(self) -> bool:
        with suppress(OSError):
            return bool(self.take_summary())
        return False


class _Endpoint:
    """Keeps the entries of all PutEvents calls until the summary is taken."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def answer(self, target: str | None, body: bytes) -> dict[str, Any]:
        """Answer the AWS operation `target`; None takes the summary of the entries and deletes them."""
        if target is None:
            entries, self._entries = self._entries, []
            return _summary(entries)
        if target.endswith("describeeventbus"):
            return {"Name": json.loads(body)["Name"]}
        entries = json.loads(body)["Entries"]
        first = len(self._entries)
        self._entries += [entry | {"Received": monotonic()} for entry in entries]
        ids = [{"EventId": str(first + position)} for position in range(len(entries))]
        return {"FailedEntryCount": 0, "Entries": ids}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                answer = json.dumps(self.answer(fields.get("x-amz-target"), body)).encode()
                kind = "Content-Type: application/x-amz-json-1.1"
                writer.write(f"HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode())
                writer.write(answer)
        writer.close()


def _summary(entries: list[dict[str, Any]]) -> dict[str, Any]:
    ids: dict[str, list[str]] = defaultdict(list)
    times: dict[str, list[float]] = defaultdict(list)
    for entry in entries:
        if entry["DetailType"] in TERMINAL_EVENT_TYPES:
            detail = json.loads(entry["Detail"])
            ids[detail["data"]["batch_id"]].append(detail["metadata"]["event_id"])
            times[detail["data"]["batch_id"]].append(entry["Received"])
    events = Counter(entry["DetailType"] for entry in entries)
    return {"events": events, "terminal": ids, "times": times}


async def _main(port: int) -> None:
    server = await asyncio.start_server(_Endpoint().serve, "127.0.0.1", port, limit=4 << 20)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
