"""A bus in a process of its own: an HTTP endpoint on the loopback that speaks PutEvents and remembers.

DescribeEventBus finds a bus of any name.

It checks no signature and matches no rule; it reads each call, gives every entry an id and answers, so both
sides of a comparison pay what their client costs and nearly nothing for the bus.
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
from typing import Any, Self

from dev.programs.process import ServerProcess, free_port
from dev.programs.tools import ROOT

TERMINAL = ("BatchEssaysReady", "BatchValidationErrors", "BatchReadinessTimeout")


class LoopbackBus:
    """Starts and stops the endpoint, and asks it what it took."""

    def __init__(self) -> None:
        self._port = free_port()
        self._folder = TemporaryDirectory(prefix="els-bus-")
        command = [sys.executable, "-m", "benchmarks.loopback_bus", str(self._port)]
        environment = {"PYTHONPATH": str(ROOT)}
        self._server = ServerProcess(command, Path(self._folder.name, "log"), environment=environment)

    @property
    def url(self) -> str:
        """Return the endpoint for `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._server.start(self._is_ready)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._folder.cleanup()

    def take_out(self) -> dict[str, Any]:
        """Return what was taken since the last time: events by kind, and terminal events by batch."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.request("GET", "/")
        taken: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return taken

    def _is_ready(self) -> bool:
        with suppress(OSError):
            return bool(self.take_out())
        return False


class _Endpoint:
    """The taken entries, and the three things that can be asked."""

    def __init__(self) -> None:
        self._entries: list[dict[str, str]] = []

    def answer(self, target: str | None, body: bytes) -> dict[str, Any]:
        """Answer the AWS operation `target`; None hands out and forgets what was taken."""
        if target is None:
            entries, self._entries = self._entries, []
            return _summary(entries)
        if target.endswith("describeeventbus"):
            return {"Name": json.loads(body)["Name"]}
        entries = json.loads(body)["Entries"]
        first = len(self._entries)
        self._entries += entries
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


def _summary(entries: list[dict[str, str]]) -> dict[str, Any]:
    kinds = Counter(entry["DetailType"] for entry in entries)
    ids: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry["DetailType"] in TERMINAL:
            detail = json.loads(entry["Detail"])
            ids[detail["data"]["batch_id"]].append(detail["metadata"]["event_id"])
    return {"kinds": kinds, "terminal": ids}


async def _main(port: int) -> None:
    server = await asyncio.start_server(_Endpoint().serve, "127.0.0.1", port, limit=4 << 20)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
