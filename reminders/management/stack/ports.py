"""Ports of this machine, asked for before anything is started on them."""

import errno
import socket

from reminders.config import ConfigError

HOST = "127.0.0.1"
HIGHEST = 65_535


def claim_port(*, port: int, option: str) -> int:
    """Return `port`, or a free one for 0, once it is known that this process may listen there.

    Raises `ConfigError` where there is no such port, where another program has it, or where this user may not have it.
    """
    if not 0 <= port <= HIGHEST:
        raise ConfigError(f"There is no port {port}: choose one from 0 to {HIGHEST} with {option}.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise ConfigError(
                f"This user may not listen on port {port}: choose one above 1023 with {option}."
            ) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigError(
                f"Port {port} is used by another program: stop that one, or choose another port with {option}."
            ) from None
        return int(probe.getsockname()[1])
