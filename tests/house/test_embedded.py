"""The embedded PostgreSQL and Valkey: started, shared, left, and recovered after any kill."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from reminders.config import ConfigError
from reminders.embedded.attach import start_detached
from reminders.embedded.places import LONGEST_SOCKET_FOLDER, Places
from reminders.embedded.postgres import EmbeddedPostgres
from reminders.embedded.processes import servers_in
from reminders.embedded.valkey import EmbeddedValkey

# A command that uses the embedded parts until its standard input ends.
USER = """
import os, sys
from reminders import embedded
embedded.provide(fast=True)
print(os.environ["DATABASE_URL"], flush=True)
sys.stdin.read()
"""


class UnstartableValkey(EmbeddedValkey):
    """A server that ends as soon as it has read its command line."""

    def command(self) -> list[str]:
        return [*super().command(), "--no-such-option", "yes"]


@contextmanager
def a_command_using(data_dir: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = subprocess.Popen(
        [sys.executable, *options, "-c", USER], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if options else None,
        env=environment | {"REMINDERS_DATA_DIR": str(data_dir)},
    )  # fmt: skip
    with command:
        assert command.stdout is not None
        assert command.stdout.readline().startswith("postgresql://")
        yield command
        if command.poll() is None:
            command.communicate(timeout=20)


def servers(data_dir: Path) -> list[psutil.Process]:
    places = Places(data_dir)
    postgres = [process for process in servers_in(places.postgres, program="postgres") if "-D" in process.cmdline()]
    return postgres + servers_in(places.valkey, program="valkey-server")


def database(data_dir: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(Places(data_dir).database_url, autocommit=True)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    for part in (EmbeddedValkey(Places(folder)), EmbeddedPostgres(Places(folder))):
        part.stop()


def test_both_servers_are_real_and_end_with_the_command(data_dir: Path) -> None:
    with a_command_using(data_dir):
        with database(data_dir) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        broker = redis.Redis.from_url(Places(data_dir).redis_url)
        assert broker.info("server")["server_name"] == "valkey"
        broker.close()
    assert row is not None
    assert str(row[0]).startswith("16.")
    assert servers(data_dir) == []


def test_a_command_that_leaves_reports_no_forgotten_process_whether_others_stay_or_not(
    data_dir: Path,
) -> None:
    with a_command_using(data_dir, "-Walways::ResourceWarning") as first, a_command_using(data_dir) as second:
        _, said = first.communicate(timeout=20)
        assert (first.returncode, said) == (0, "")
        assert len(servers(data_dir)) == 2, "the second still uses them"
        second.communicate(timeout=20)
    with a_command_using(data_dir, "-Walways::ResourceWarning") as alone:
        _, said = alone.communicate(timeout=20)
    assert (alone.returncode, said) == (0, "")


def test_a_server_that_cannot_start_is_told_with_the_last_line_of_its_log(data_dir: Path) -> None:
    places = Places(data_dir)
    places.make()
    part = UnstartableValkey(places)

    with pytest.raises(ConfigError, match=r"valkey-server did not start; its log .* ends with: Bad directive"):
        start_detached(part, places=places)


def test_a_second_command_joins_and_the_last_one_to_leave_stops_the_servers(data_dir: Path) -> None:
    with a_command_using(data_dir):
        at_first = servers(data_dir)
        with a_command_using(data_dir) as second:
            assert servers(data_dir) == at_first
            second.communicate(timeout=20)
        assert servers(data_dir) == at_first
    assert servers(data_dir) == []


def test_servers_killed_outright_start_again_with_their_data(data_dir: Path) -> None:
    with a_command_using(data_dir) as command:
        with database(data_dir) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        command.kill()
        for process in servers(data_dir):
            process.kill()
    with a_command_using(data_dir), database(data_dir) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_servers_whose_starter_was_killed_are_joined_and_then_stopped(data_dir: Path) -> None:
    with a_command_using(data_dir) as command:
        command.kill()
        command.wait()
    orphans = servers(data_dir)
    assert len(orphans) == 2
    with a_command_using(data_dir):
        assert servers(data_dir) == orphans
    assert servers(data_dir) == []


def test_a_number_in_a_dead_servers_file_that_another_process_got_is_no_obstacle(data_dir: Path) -> None:
    with a_command_using(data_dir):
        pass
    (Places(data_dir).postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir}\n0\n5432\n\n\n0 0\nready\n")
    with a_command_using(data_dir):
        assert len(servers(data_dir)) == 2


@pytest.mark.parametrize("name", ["a folder, with 100% odd characters", "long-" * 30])
def test_a_data_folder_may_have_any_name_and_length(tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name
    sockets = Places(data_dir).sockets
    assert len(os.fsencode(sockets)) <= LONGEST_SOCKET_FOLDER
    with a_command_using(data_dir), database(data_dir) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert servers(data_dir) == []
    shutil.rmtree(sockets)


def test_nobody_else_may_look_into_the_data_or_use_the_sockets(data_dir: Path) -> None:
    with a_command_using(data_dir):
        places = Places(data_dir)
        for closed in (places.postgres, places.logs, places.postgres_socket):
            assert closed.stat().st_mode & 0o077 == 0, closed
        assert places.valkey_socket.stat().st_mode & 0o077 == 0
        assert (data_dir / "secret.key").stat().st_mode & 0o077 == 0
        assert data_dir.stat().st_mode & 0o066 == 0, "passing through is what root's PostgreSQL needs, listing is not"
