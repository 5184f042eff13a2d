"""Runs a script for many batches in one round trip, on a single server and on a cluster."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from els_core.domain.errors import ExternalServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis
    from redis.cluster import RedisCluster


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

        A call that failed inside the script (a key has another type) returns None.
        """
        try:
            answers = _pipeline(client, "EVALSHA", self.sha, calls)
            lost = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if lost:
                again = _pipeline(client, "EVAL", self.text, [calls[at] for at in lost])
                for at, answer in zip(lost, again, strict=True):
                    answers[at] = answer
        except (RedisError, RedisClusterException, OSError) as error:
            raise unreachable(self.name, error) from error
        return [self._answer(answer) for answer in answers]

    def _answer(self, answer: Any) -> Any:
        if not isinstance(answer, Exception):
            return answer
        # Any other ResponseError comes from inside the script: a key holds something unexpected. That is no
        # fault; the batch is installed again from Postgres.
        if is_script_error(answer):
            return None
        raise unreachable(self.name, answer) from answer


def is_script_error(error: Exception) -> bool:
    """Tell whether the server is available but a script or command met a key of another type."""
    return type(error).__name__ == "ResponseError" and not str(error).startswith(
        ("OOM", "MISCONF", "NOREPLICAS")
    )


def unreachable(operation: str, error: Exception) -> ExternalServiceError:
    """Return the fault for an unavailable server."""
    return ExternalServiceError(operation, service="Redis", details=type(error).__name__)


def _pipeline(client: Redis | RedisCluster, command: str, script: str, calls: Sequence[Call]) -> list[Any]:
    # A cluster's pipeline refuses .evalsha(); execute_command is routed by the first key and works on both.
    pipeline = client.pipeline(transaction=False) if _is_single(client) else client.pipeline()
    for call in calls:
        pipeline.execute_command(command, script, len(call.keys), *call.keys, *call.arguments)
    answers: list[Any] = pipeline.execute(raise_on_error=False)
    return answers


def _is_single(client: Redis | RedisCluster) -> bool:
    return not hasattr(client, "nodes_manager")
