"""The engine: one connection per function copy. Its time limits are the role's, set by a migration."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from els_core.adapters.postgres.driver import DRIVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

SOCKET_TIMEOUT_SECONDS = 9  # longer than a statement may take, shorter than the function


def connect(url: str, password: Callable[[], str] | None = None, *, is_patient: bool = False) -> Engine:
    """Return an engine; connections are made when they are needed.

    `password` gives a fresh one per connection (an IAM token), and then the connection is encrypted.
    A unix socket is named by `?unix_sock=`. A patient one, for migrations, waits as long as it takes.
    """
    parsed = make_url(url)
    arguments: dict[str, Any] = {"timeout": None if is_patient else SOCKET_TIMEOUT_SECONDS}
    if "unix_sock" in parsed.query:
        arguments["unix_sock"] = parsed.query["unix_sock"]
        parsed = parsed.difference_update_query(["unix_sock"])
    if password is not None:
        arguments["ssl_context"] = ssl.create_default_context()
    # Errors end up in logs, and parameters hold file names.
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
