"""The engine: one connection per function instance. A migration gives the role its time limits."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from els_core.adapters.postgres.driver import DRIVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

SOCKET_TIMEOUT_SECONDS = 9  # more than the role's statement timeout, less than the functions' timeout


def connect(url: str, password: Callable[[], str] | None = None, *, has_timeout: bool = True) -> Engine:
    """Return an engine; it opens connections when they are needed.

    `password` returns a new password for each connection (an IAM token); with it, connections use TLS.
    `?unix_sock=` in the URL names a unix socket. Migrations connect without a socket timeout.
    """
    parsed = make_url(url)
    arguments: dict[str, Any] = {"timeout": SOCKET_TIMEOUT_SECONDS if has_timeout else None}
    if "unix_sock" in parsed.query:
        arguments["unix_sock"] = parsed.query["unix_sock"]
        parsed = parsed.difference_update_query(["unix_sock"])
    if password is not None:
        arguments["ssl_context"] = ssl.create_default_context()
    # Errors are logged, and parameters contain file names, which are personal data.
    engine = create_engine(
        parsed, pool_size=1, max_overflow=0, connect_args=arguments, hide_parameters=True, module=DRIVER
    )
    if password is not None:

        @event.listens_for(engine, "do_connect")
        def _authenticate(
            _dialect: object, _record: object, _args: object, parameters: dict[str, Any]
        ) -> None:
            parameters["password"] = password()

    return engine
