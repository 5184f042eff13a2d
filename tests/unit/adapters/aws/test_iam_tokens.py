"""IAM tokens instead of passwords, for stores in AWS whose URL has no password."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from sqlalchemy.exc import InterfaceError

from els_core.adapters.aws.iam_tokens import postgres_password, redis_credentials
from els_core.adapters.postgres import connection as postgres
from els_core.adapters.redis import connection as redis

PROXY = "els.proxy-abc.eu-north-1.rds.amazonaws.com"
ALWAYS_NEW = ("X-Amz-Date", "X-Amz-Signature")


@pytest.fixture(autouse=True)
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "session",
    }.items():
        monkeypatch.setenv(name, value)


def parts_of(token: str) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(f"https://{token}")
    return parts.netloc, {k: v for k, v in parse_qs(parts.query).items() if k not in ALWAYS_NEW}


def test_a_database_in_aws_gets_the_same_token_as_from_the_sdk() -> None:
    password = postgres_password(f"postgresql+pg8000://els@{PROXY}:5432/els")
    assert password is not None
    sdk = boto3.client("rds").generate_db_auth_token(PROXY, 5432, "els")
    assert parts_of(password()) == parts_of(sdk)
    assert "X-Amz-Signature=" in password()


@pytest.mark.parametrize(
    ("host", "name", "more"),
    [
        ("els-a1b2c3.serverless.eun1.cache.amazonaws.com", "els", {"ResourceType": ["ServerlessCache"]}),
        ("clustercfg.els.a1b2c3.eun1.cache.amazonaws.com", "els", {}),
        ("master.els.a1b2c3.eun1.cache.amazonaws.com", "els", {}),
    ],
)
def test_a_cache_in_aws_gets_a_token_for_its_name(host: str, name: str, more: dict[str, list[str]]) -> None:
    credentials = redis_credentials(f"rediss://els-user@{host}:6379")
    assert credentials is not None
    user, token = credentials.get_credentials()
    cache, query = parts_of(token)
    assert (user, cache) == ("els-user", name)
    assert {"Action": ["connect"], "User": ["els-user"], **more}.items() <= query.items()
    assert query["X-Amz-Expires"] == ["900"]


@pytest.mark.parametrize("address", ["els@127.0.0.1:1", f"els:secret@{PROXY}:1", f"{PROXY}:1"])
def test_a_store_outside_aws_or_with_a_password_gets_no_token(address: str) -> None:
    assert postgres_password(f"postgresql+pg8000://{address}/els") is None
    assert redis_credentials(f"rediss://{address}") is None


def test_every_connection_uses_a_fresh_token_instead_of_the_url() -> None:
    credentials = redis_credentials("rediss://els@master.els.a1b2c3.eun1.cache.amazonaws.com:6379")
    client = redis.connect("rediss://els@127.0.0.1:1", credentials=credentials)
    kwargs = client.get_connection_kwargs()
    assert (kwargs.get("username"), kwargs["credential_provider"]) == (None, credentials)
    tokens = iter(("first", "second"))
    engine = postgres.connect("postgresql+pg8000://els@127.0.0.1:1/els", lambda: next(tokens))
    for _ in range(2):
        with pytest.raises(InterfaceError):
            engine.connect()
    assert list(tokens) == []
