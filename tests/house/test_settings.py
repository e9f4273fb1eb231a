"""What the settings make of addresses, and what logs and answers must never hold."""

import json
import logging

import pytest
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reminders.config import ConfigError
from reminders.database import database_settings
from reminders.headers import ResponseHeadersMiddleware
from reminders.logs import configure_logging


def test_a_database_address_may_name_a_unix_socket() -> None:
    found = database_settings("postgresql://postgres:@/postgres?host=/var/run/pg")
    assert (found["NAME"], found["USER"], found["HOST"], found["PORT"]) == ("postgres", "postgres", "/var/run/pg", "")


def test_a_database_address_may_hold_escapes_and_options() -> None:
    found = database_settings("postgresql://clinic:p%40ss@db.example:5433/aftercare?sslmode=require")
    assert found["PASSWORD"] == "p@ss"
    assert (found["HOST"], found["PORT"]) == ("db.example", "5433")
    assert found["OPTIONS"]["sslmode"] == "require"


def test_a_broken_database_address_is_refused_without_repeating_its_password() -> None:
    with pytest.raises(ConfigError) as error:
        database_settings("postgresql://clinic:hunter2@host/db?no_such_option=1")
    assert "hunter2" not in str(error.value)


def test_a_login_ends_after_fifteen_quiet_minutes() -> None:
    assert settings.SESSION_COOKIE_AGE == 900
    assert settings.SESSION_SAVE_EVERY_REQUEST


def test_pages_are_kept_out_of_caches_and_run_only_our_scripts() -> None:
    answer = ResponseHeadersMiddleware(lambda _request: HttpResponse("page"))(HttpRequest())
    assert answer["Cache-Control"] == "no-store"
    assert "script-src 'self';" in answer["Content-Security-Policy"]


def test_patients_details_are_dropped_from_logs_of_ours_and_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", log_level="INFO")
    try:
        structlog.get_logger("ours").info(
            "message settled", body="my arm hurts", to_number="+13125550100", message_id=7
        )
        logging.getLogger("library").warning("something happened")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        configure_logging(log_format="json", log_level="INFO")
    ours, library = lines
    assert ours["event"] == "message settled"
    assert ours["message_id"] == 7
    assert ours["body"] == ours["to_number"] == "[dropped]"
    assert library["event"] == "something happened"
    assert library["level"] == "warning"
