"""The append-only file that brings conversations back after the process is killed."""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reminders.sandbox.wire import dump

FLUSH_SECONDS = 0.05


class JournalInUseError(Exception):
    """Another sandbox writes to this folder; stop it or choose another --data-dir."""


class Journal:
    """One JSON document per line.

    A line is in the hands of the operating system once `flush` has returned, which outlives `kill -9` of this process
    (not a power cut: a stand-in need not pay for fsync). Lines that nobody waits for are written in batches.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "carrier.jsonl"
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise JournalInUseError(JournalInUseError.__doc__) from None
        self._waiting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield every whole line; cut off a half-written last one, so that the next line starts clean."""
        good = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield json.loads(line)
                good += len(line)
        os.ftruncate(self._file, good)

    def append(self, event: dict[str, Any], *, now: bool) -> None:
        """Add a line; with `now` it and all before it are written before this returns, else within 50 ms."""
        self._waiting.append(dump(event))
        if now:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits, in one call where the system takes it in one."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        self._waiting.append(b"")
        data = memoryview(b"\n".join(self._waiting))
        self._waiting.clear()
        while data:
            data = data[os.write(self._file, data) :]

    def clear(self) -> None:
        """Forget everything written so far."""
        self._waiting.clear()
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self.flush()
        os.close(self._file)
