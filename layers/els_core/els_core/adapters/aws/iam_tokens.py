"""IAM tokens, valid for 15 minutes, instead of passwords: for stores in AWS whose URL has no password.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import botocore.session
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from redis.credentials import CredentialProvider

if TYPE_CHECKING:
    from collections.abc import Callable

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")
SECONDS = 900  # the maximum that AWS accepts; each new connection gets a token of its own


def postgres_password(url: str) -> Callable[[], str] | None:
    """Return a factory of tokens, one per new connection, or None for a database outside AWS."""
    parts = urlsplit(url)
    if not _wants_token(url):
        return None
    netloc = f"{parts.hostname}:{parts.port or 5432}"
    return lambda: _token("rds-db", netloc, {"Action": "connect", "DBUser": parts.username or ""})


def redis_credentials(url: str) -> ElastiCacheTokens | None:
    """Return a provider of user and token per new connection, or None for a cache outside AWS."""
    parts = urlsplit(url)
    return ElastiCacheTokens(parts.username or "", parts.hostname or "") if _wants_token(url) else None


class ElastiCacheTokens(CredentialProvider):
    """Signs for the name of the cache, not for its host."""

    def __init__(self, user: str, host: str) -> None:
        self._user = user
        self._cache, self._query = _cache_of(host)

    def get_credentials(self) -> tuple[str, str]:
        """Return user and a fresh token."""
        query = {"Action": "connect", "User": self._user, **self._query}
        return self._user, _token("elasticache", self._cache, query)


def _wants_token(url: str) -> bool:
    parts = urlsplit(url)
    return (parts.hostname or "").endswith(AWS_DOMAINS) and bool(parts.username) and not parts.password


def _cache_of(host: str) -> tuple[str, dict[str, str]]:
    """Return the name of the cache of an endpoint, and the further parameters of its token.

    `name-xxxxxx.serverless.region.…` is a serverless cache, `master.name.xxxxxx.region.…` (or replica,
    clustercfg) a replication group with encryption, which IAM needs.
    """
    first, second, *_ = host.split(".")
    if second == "serverless":
        return first.rpartition("-")[0], {"ResourceType": "ServerlessCache"}
    return (second if first in {"master", "replica", "clustercfg"} else first), {}


def _token(service: str, netloc: str, query: dict[str, str]) -> str:
    session = botocore.session.get_session()
    region = session.get_config_variable("region")
    credentials = session.get_credentials()
    if credentials is None:
        raise LookupError(f"no AWS credentials to sign a token for {netloc}: give the function a role")
    events = session.get_component("event_emitter")
    signer = RequestSigner(ServiceId(service), region, service, "v4", credentials, events)
    request = {
        "method": "GET",
        "url": f"https://{netloc}/?{urlencode(query)}",
        "body": {},
        "headers": {},
        "context": {},
    }
    signed: str = signer.generate_presigned_url(request, "connect", expires_in=SECONDS, region_name=region)
    return signed.removeprefix("https://")
