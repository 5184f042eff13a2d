"""Runs a script for many batches in one round trip, on a single server and on a cluster."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

from els_core.adapters.redis.connection import drop_connections
from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis import Redis
    from redis.cluster import RedisCluster

_CODE = re.compile("[A-Z]{2,20}")
WRONG_TYPE = "WRONGTYPE"  # the error code of a command that met a key of another type


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a script: keys, all of one batch, and arguments."""

    keys: Sequence[str]
    arguments: Sequence[str | int | float]


class Script:
    """A Lua file, identified by its SHA-1."""

    def __init__(self, name: str) -> None:
        self.text = resources.files(__package__).joinpath("scripts", f"{name}.lua").read_text("utf-8")
        self.name = name
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: Redis | RedisCluster, calls: Sequence[Call]) -> list[Any]:
        """Run all calls in one pipeline; repeat those whose script is not cached, with its text.

        Returns the raw replies. Any error but a lost script is a fault: the scripts check the types of their
        keys themselves.
        """
        try:
            replies = _pipeline(client, "EVALSHA", self.sha, calls)
            lost = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if lost:
                again = _pipeline(client, "EVAL", self.text, [calls[at] for at in lost])
                for at, reply in zip(lost, again, strict=True):
                    replies[at] = reply
        except Exception as error:  # redis-py raises many classes for a reply that it cannot parse
            raise _unavailable(client, self.name, error) from error
        for reply in replies:
            if isinstance(reply, Exception):
                raise _unavailable(client, self.name, reply) from reply
        return replies


def ask(client: Redis | RedisCluster, question: Callable[[], object]) -> object:
    """Return the reply to one command; None where the key has another type."""
    try:
        return question()
    except Exception as error:  # redis-py raises many classes for a reply that it cannot parse
        if code_of(error) == WRONG_TYPE:
            return None
        raise _unavailable(client, "ask about a batch", error) from error


def code_of(error: Exception) -> str:
    """Return the error code of a reply, its first word; the name of the class for an error of the client.

    https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
    """
    first = str(error).partition(" ")[0]
    return first if _CODE.fullmatch(first) else type(error).__name__


def _unavailable(client: Redis | RedisCluster, operation: str, error: Exception) -> ExternalServiceError:
    """Return the fault, and drop the connections: they may lead to a wrong or a sick server."""
    with suppress(Exception):  # what does not close is dropped all the same
        drop_connections(client)
    return ExternalServiceError(operation, service="Redis", details=code_of(error))


def _pipeline(client: Redis | RedisCluster, command: str, script: str, calls: Sequence[Call]) -> list[Any]:
    # A cluster's pipeline refuses .evalsha(); execute_command is routed by the first key and works on both.
    pipeline = client.pipeline(transaction=False) if _is_single(client) else client.pipeline()
    for call in calls:
        pipeline.execute_command(command, script, len(call.keys), *call.keys, *call.arguments)
    replies: list[Any] = pipeline.execute(raise_on_error=False)
    return replies


def _is_single(client: Redis | RedisCluster) -> bool:
    return not hasattr(client, "nodes_manager")
