"""The engine: one connection per Lambda execution environment. Its time limits are the role's.

What a session relies on is asked for in the startup packet, whatever the defaults of server, database and
role are. These four parameters pass a pgbouncer in transaction mode too, which keeps track of them.
https://www.pgbouncer.org/config.html#ignore_startup_parameters
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from els_core.adapters.postgres.driver import DRIVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Engine

RDS_DOMAIN = ".rds.amazonaws.com"
RDS_AUTHORITIES = Path(__file__).with_name("rds_authorities.pem")
SOCKET_TIMEOUT_SECONDS = 9  # longer than a statement may take, shorter than the function
SESSION = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
}


def connect(url: str, password: Callable[[], str] | None = None, *, is_patient: bool = False) -> Engine:
    """Return an engine that connects lazily.

    Any host but a loopback address or a socket (`?unix_sock=`) is reached by verified TLS, unless the URL
    says `?sslmode=disable`; with `?sslmode=verify-full` every host is. `password` provides a fresh one per
    connection (an IAM token). A patient engine, for migrations, has no time limit on the socket.
    """
    parsed = make_url(url)
    arguments: dict[str, Any] = {
        "timeout": None if is_patient else SOCKET_TIMEOUT_SECONDS,
        "startup_params": SESSION,
    }
    if "unix_sock" in parsed.query:
        arguments["unix_sock"] = parsed.query["unix_sock"]
    if password is not None or needs_tls(parsed):
        arguments["ssl_context"] = tls_context(parsed.host or "")
    # Errors end up in logs, and parameters hold file names.
    engine = create_engine(
        parsed.difference_update_query(["unix_sock", "sslmode"]),
        pool_size=1,
        max_overflow=0,
        connect_args=arguments,
        hide_parameters=True,
        module=DRIVER,
    )
    if password is not None:

        @event.listens_for(engine, "do_connect")
        def _authenticate(
            _dialect: object, _record: object, _args: object, parameters: dict[str, Any]
        ) -> None:
            parameters["password"] = password()

    return engine


def needs_tls(url: URL) -> bool:
    """Tell whether a connection must be encrypted and the server verified."""
    if "sslmode" in url.query:
        return url.query["sslmode"] != "disable"
    return "unix_sock" not in url.query and not _is_loopback(url.host or "localhost")


def user_of(url: str) -> str:
    """Return the role that a URL names."""
    return make_url(url).username or ""


def tls_context(host: str) -> ssl.SSLContext:
    """Return a context that verifies the server and its name.

    The certificates of Aurora and RDS come from authorities of their own, one set per region, which no store
    of trusted certificates has; those of RDS Proxy come from a public one.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
    """
    context = ssl.create_default_context()
    if host.endswith(RDS_DOMAIN):
        context.load_verify_locations(RDS_AUTHORITIES)
    return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
