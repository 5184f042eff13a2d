"""Clients that replace what was cut while idle without failing an invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.cluster import RedisCluster
from redis.exceptions import ConnectionError as CutConnectionError
from redis.retry import Retry

if TYPE_CHECKING:
    from redis.credentials import CredentialProvider

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
# A cut connection shows on the next use; the first repetition is on a new one. Scripts are idempotent.
# A server that answers nothing is not asked again: it would take as long again, and the message comes back.
RETRIES = 2


def connect(
    url: str, *, cluster: bool = False, credentials: CredentialProvider | None = None
) -> Redis | RedisCluster:
    """Return a client; connections are made when they are needed.

    `credentials` give user and password for each new connection, instead of those of the URL.
    """
    retry = Retry(ExponentialBackoff(cap=0.2, base=0.01), RETRIES, supported_errors=(CutConnectionError,))
    make = RedisCluster.from_url if cluster else Redis.from_url
    client: Redis | RedisCluster = make(
        _without_user(url) if credentials else url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=retry,
        **({"credential_provider": credentials} if credentials else {}),
    )
    return client


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
