"""What all tests share: a real PostgreSQL and a real Valkey, started when the first test needs them."""

import os
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from django.db import connections
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql
from psycopg.conninfo import make_conninfo

from reminders import embedded
from tests.chromium import find_chromium
from tests.stack.launch import RunningStack, launch


@pytest.fixture(scope="session")
def real_parts() -> None:
    """PostgreSQL and Valkey, running; their addresses are in the environment."""
    embedded.provide(fast=True)


@pytest.fixture(scope="session")
def redis_url(real_parts: None) -> str:
    """Address of a running Valkey."""
    return os.environ["REDIS_URL"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(real_parts: None) -> None:
    """pytest-django asks for this before it makes the test database.

    The server has to run by then, and the database has to be this run's own, because several runs share the server.
    """
    remove_databases_of_dead_runs()
    # The dictionary that connections of every thread read; a connection's own copy would be this thread's alone.
    connections.databases["default"]["TEST"]["NAME"] = f"test_reminders_{os.getpid()}"


def remove_databases_of_dead_runs() -> None:
    """Drop the test databases of runs that were killed."""
    address = make_conninfo(os.environ["DATABASE_URL"], dbname="postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_reminders_[0-9]+$'")
        for (name,) in rows.fetchall():
            if not psutil.pid_exists(int(name.rsplit("_", 1)[1])):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of the system's Chromium; without one the test is skipped, or fails where CI is set."""
    return find_chromium()


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[Browser]:
    """The system's Chromium, without a window; all page tests share it, because a thread bears one such client only."""
    # Playwright's synchronous calls keep an event loop in this thread; the rows of a test are made in the same one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=arguments)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole product as real processes, with the sandbox carrier and its sample clinic; a session shares one."""
    running = launch(tmp_path_factory.mktemp("stack") / "data")
    yield running
    running.stop()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what drives a browser last: its client keeps an event loop running in this thread until the session ends."""
    items.sort(key=lambda item: "browser_path" in getattr(item, "fixturenames", ()))
