"""Where the embedded parts keep what, below one data folder."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from reminders.config import ConfigError

# A Unix socket's path may have 107 bytes on Linux and 103 on macOS; the longest name below the folder of sockets is
# `supervisor.sock.<pid>`, 23 bytes. Spaces, commas and percent signs mean something in connection strings.
LONGEST_SOCKET_FOLDER = 80
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True)
class Places:
    """The folders below one data folder. Computing them touches nothing."""

    data_dir: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's cluster."""
        return self.data_dir / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's working folder; nothing in it is worth keeping."""
        return self.data_dir / "valkey"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.data_dir / "logs"

    @property
    def locks(self) -> Path:
        """Lock files; the kernel frees their locks when a process dies, however it dies."""
        return self.data_dir / "locks"

    @property
    def sockets(self) -> Path:
        """Folder of Unix sockets: in the data folder, or in /tmp where that path is too long or has odd characters."""
        real = os.path.realpath(self.data_dir)
        inside = Path(real) / "run"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER and PLAIN_PATH.fullmatch(str(inside)):
            return inside
        # Not gettempdir(): TMPDIR differs between shells, and every process has to find the same folder.
        return Path("/tmp") / f"reminders-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"  # noqa: S108

    @property
    def postgres_socket(self) -> Path:
        """Folder of PostgreSQL's socket; where root starts it, another user owns the server and this folder."""
        return self.sockets / "pg"

    @property
    def valkey_socket(self) -> Path:
        """Valkey's socket."""
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        """Address of the embedded PostgreSQL."""
        return self.database_url_of("reminders")

    def database_url_of(self, name: str) -> str:
        """Address of one database of the embedded PostgreSQL."""
        return f"postgresql://postgres@/{name}?host={quote(str(self.postgres_socket), safe='/')}"

    @property
    def redis_url(self) -> str:
        """Address of the embedded Valkey."""
        return f"unix://{self.valkey_socket}"

    def make(self) -> None:
        """Create the folders, closed to everybody else. Raises `ConfigError` where that is not allowed."""
        # Root's PostgreSQL runs as another user, who has to pass through; listing stays closed.
        through = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            for folder in (self.data_dir, self.sockets):
                folder.mkdir(mode=through, exist_ok=True)
                if folder.stat().st_uid == os.geteuid():
                    folder.chmod(through)
            for folder in (self.logs, self.locks, self.valkey):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The data folder {self.data_dir} cannot be made or written ({error.strerror}): "
                "set REMINDERS_DATA_DIR or --data-dir to a folder of yours."
            ) from None
        for folder in (self.data_dir, self.logs, self.locks, self.valkey):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise ConfigError(
                    f"The data folder {self.data_dir} cannot be written by this user: "
                    "set REMINDERS_DATA_DIR or --data-dir to a folder of yours."
                )
        if self.sockets.stat().st_uid != os.geteuid() or self.sockets.is_symlink():
            raise ConfigError(
                f"The folder {self.sockets} belongs to another user: remove it, or choose another data folder."
            )
