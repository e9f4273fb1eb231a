"""What the settings make of addresses, and what logs and answers must never hold."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models.signals import pre_migrate
from django.http import HttpRequest, HttpResponse

from reminders.config import ConfigError
from reminders.database import database_settings
from reminders.headers import ResponseHeadersMiddleware
from reminders.logs import configure_logging
from reminders.secret import keep_media_key, keep_secret
from reminders.settings import CONFIG, media_keys_of, secret_key_of


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


def test_a_forgotten_transaction_is_ended_unless_the_address_says_otherwise() -> None:
    ours = database_settings("postgresql:///aftercare")["OPTIONS"]["options"]
    theirs = database_settings("postgresql:///aftercare?options=-c%20statement_timeout%3D5s")["OPTIONS"]["options"]
    assert "idle_in_transaction_session_timeout=120s" in ours
    assert theirs.endswith("statement_timeout=5s")


@pytest.mark.django_db
def test_the_server_knows_the_limit_and_migrations_lift_their_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout')")
        assert cursor.fetchone() == ("2min",)
        cursor.execute("SET LOCAL statement_timeout = '1min'")
        pre_migrate.send(sender=apps.get_app_config("reminders"), using="default")
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)


def test_without_a_secret_nothing_starts_on_a_real_database(tmp_path: Path) -> None:
    on_a_server = replace(CONFIG, secret_key="", database_url="postgresql://db/reminders", data_dir=tmp_path)
    with pytest.raises(ConfigError, match="REMINDERS_SECRET_KEY"):
        secret_key_of(on_a_server)


def test_a_laptop_keeps_its_secret_in_the_data_folder(tmp_path: Path) -> None:
    kept = keep_secret(tmp_path)
    assert keep_secret(tmp_path) == kept
    assert len(kept) >= 32
    assert secret_key_of(replace(CONFIG, secret_key="", data_dir=tmp_path)) == kept


def test_without_a_key_for_pictures_nothing_starts_on_a_real_database(tmp_path: Path) -> None:
    on_a_server = replace(CONFIG, media_keys=(), database_url="postgresql://db/reminders", data_dir=tmp_path)
    with pytest.raises(ConfigError, match="REMINDERS_MEDIA_KEYS"):
        media_keys_of(on_a_server)


def test_a_kept_key_for_pictures_goes_on_opening_what_it_encrypted(tmp_path: Path) -> None:
    kept = keep_media_key(tmp_path)
    assert (tmp_path / "media.key").stat().st_mode & 0o077 == 0
    assert media_keys_of(replace(CONFIG, media_keys=(), data_dir=tmp_path)) == (keep_media_key(tmp_path),)
    assert media_keys_of(replace(CONFIG, media_keys=("new",), data_dir=tmp_path)) == ("new", kept)


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
