"""A real PostgreSQL and a real Valkey out of pip wheels, for laptops and tests.

Both listen on Unix sockets in a folder that only their owner may enter, so they need no port and no password. Their
addresses follow from the data folder alone; that is why settings can be imported while neither runs.
"""

from pathlib import Path


def provide(*, data_dir: Path | None = None, fast: bool = False) -> None:
    """See to it that DATABASE_URL and REDIS_URL are set and answer; see `reminders.embedded.attach`."""
    # Imported here: every process imports settings, and settings need nothing but the addresses.
    from reminders.embedded import attach

    attach.provide(data_dir=data_dir, fast=fast)
