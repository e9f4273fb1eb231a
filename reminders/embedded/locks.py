"""Locks between processes that share a data folder. The kernel frees them when their holder dies, even by kill -9."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderLock:
    """One lock file. `try_*` never wait."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def try_exclusive(self) -> bool:
        """Take the lock for this process alone; False where anybody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with others; False where somebody holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def wait_exclusive(self) -> None:
        """Wait until the lock is this process's alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` for the length of the block."""
    lock = FolderLock(path)
    lock.wait_exclusive()
    try:
        yield
    finally:
        lock.close()
