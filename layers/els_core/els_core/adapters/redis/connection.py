"""Redis clients that replace lost connections without failing an invocation."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.cluster import RedisCluster
from redis.exceptions import ConnectionError as CutConnectionError
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.credentials import CredentialProvider

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
# A lost connection is noticed on the next use; the first retry opens a new one. Scripts are idempotent.
# A timeout is not retried here: it would take as long again. SQS delivers the messages again.
RETRIES = 2


def connect(
    url: str, *, cluster: bool = False, credentials: CredentialProvider | None = None
) -> Redis | RedisCluster:
    """Return a client that connects lazily.

    `credentials` provide user and password for each new connection, instead of those of the URL.
    """
    retry = Retry(ExponentialBackoff(cap=0.2, base=0.01), RETRIES, supported_errors=(CutConnectionError,))
    address = _without_user(url) if credentials else url
    options = {
        "decode_responses": False,  # a reply may hold bytes that are no text; `replies` decodes it
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": retry,
        **({"credential_provider": credentials} if credentials else {}),
    }
    made: Any = (
        _LazyCluster(lambda: RedisCluster.from_url(address, **options))
        if cluster
        else Redis.from_url(address, **options)
    )
    client: Redis | RedisCluster = made  # the lazy one forwards everything to the cluster's client
    return client


def drop_connections(client: Redis | RedisCluster) -> None:
    """Close the connections of a client, so that its next call finds the right servers."""
    if isinstance(client, _LazyCluster):
        client.close()
    elif isinstance(client, Redis):
        client.connection_pool.disconnect()


class _LazyCluster:
    """The cluster's client, built on first use.

    `RedisCluster` connects when it is built, and some functions run without Redis.
    """

    def __init__(self, make: Callable[[], RedisCluster]) -> None:
        self._make = make

    @cached_property
    def _client(self) -> RedisCluster:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def close(self) -> None:
        """Close all connections; the next use builds the client anew, with the topology of that moment."""
        client = vars(self).pop("_client", None)
        if client is not None:
            client.close()


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
