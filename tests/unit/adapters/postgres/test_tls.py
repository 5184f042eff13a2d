"""The server of the database is verified, with the authorities of Amazon RDS for hosts of Amazon RDS."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections import defaultdict
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError

from els_core.adapters.clock import SystemClock
from els_core.adapters.postgres.connection import RDS_AUTHORITIES, connect, needs_tls, tls_context
from els_core.adapters.redis.connection import connect as connect_redis

AURORA = "els.cluster-abc.eu-north-1.rds.amazonaws.com"
TRUSTED = "Amazon RDS eu-north-1 Root CA RSA2048 G1"
YEAR = "2060"
RUNBOOK = Path("docs", "runbooks", "deploy.md")


def names(context: ssl.SSLContext) -> set[str]:
    return {name_of(certificate["subject"]) for certificate in context.get_ca_certs()}


def name_of(subject: Any) -> str:
    return str(dict(pair for part in subject for pair in part).get("commonName", ""))


@pytest.mark.parametrize(("host", "is_trusted"), [(AURORA, True), ("db.example.org", False)])
def test_the_server_is_verified_with_the_authorities_of_its_host(host: str, *, is_trusted: bool) -> None:
    context = tls_context(host)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (TRUSTED in names(context)) is is_trusted


def test_the_authorities_are_roots_of_each_algorithm_for_each_region_and_valid_for_decades() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(RDS_AUTHORITIES)
    algorithms: dict[str, set[str]] = defaultdict(set)
    for certificate in context.get_ca_certs():
        assert certificate["subject"] == certificate["issuer"]
        found = re.fullmatch(r"Amazon RDS (\S+) Root CA (\S+) G1", name_of(certificate["subject"]))
        assert found is not None
        algorithms[found[1]].add(found[2])
        assert str(certificate["notAfter"]).split()[3] > YEAR
    assert {"eu-north-1", "eu-west-1", "us-east-1"} <= set(algorithms)
    assert all(each == {"RSA2048", "RSA4096", "ECC384"} for each in algorithms.values())


def test_the_authorities_are_those_whose_digest_the_runbook_names() -> None:
    digest = hashlib.sha256(RDS_AUTHORITIES.read_bytes()).hexdigest()
    assert re.findall(r"`([0-9a-f]{64})`", RUNBOOK.read_text("utf-8")) == [digest]


def test_no_authority_has_expired() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(RDS_AUTHORITIES)
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    assert len(ends) == RDS_AUTHORITIES.read_text("utf-8").count("BEGIN CERTIFICATE")
    assert min(ends) > SystemClock().now().timestamp()


@pytest.mark.parametrize(
    ("place", "is_verified"),
    [
        ("els:secret@db:5432/d", True),
        (f"els@{AURORA}/d", True),
        ("els@10.0.0.1/d", True),
        ("els@localhost/d", False),
        ("els@127.0.0.1/d", False),
        ("els@[::1]/d", False),
        ("els@/d?unix_sock=/run/postgres", False),
        ("els@db/d?sslmode=disable", False),
        ("els@127.0.0.1/d?sslmode=verify-full", True),
    ],
)
def test_tls_is_used_unless_the_server_is_on_this_machine_or_the_url_says_otherwise(
    place: str, *, is_verified: bool
) -> None:
    assert needs_tls(make_url(f"postgresql+pg8000://{place}")) is is_verified


def test_a_server_that_refuses_tls_gets_neither_password_nor_plain_text() -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=refuse_tls, args=(server, received))
        thread.start()
        url = f"postgresql+pg8000://els:secret@127.0.0.1:{server.getsockname()[1]}/d?sslmode=verify-full"
        with pytest.raises(InterfaceError, match="refuses SSL"):
            connect(url).connect()
        thread.join()
    assert b"".join(received) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f", "the request for TLS alone"


def refuse_tls(server: socket.socket, received: list[bytes]) -> None:
    connection, _ = server.accept()
    with connection:
        received.append(connection.recv(1_024))
        connection.sendall(b"N")
        while part := connection.recv(1_024):
            received.append(part)


def test_the_cache_is_verified_where_its_url_asks_for_tls() -> None:
    client: Any = connect_redis("rediss://els@cache:6379")
    options = client.connection_pool.make_connection()
    assert (options.cert_reqs, options.check_hostname) == (ssl.CERT_REQUIRED, True)
