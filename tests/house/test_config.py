"""The environment is checked once, and a wrong setting is told in one sentence that says what to do."""

import base64
import re
from dataclasses import fields
from pathlib import Path

import pytest

from reminders.config import BASE_DIR, SETTINGS, Config, ConfigError, celery_broker_url, read_config

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "a-token",
    "PUBLIC_BASE_URL": "https://aftercare.example.org",
}

MEDIA_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


def test_an_empty_environment_means_embedded_parts_and_the_sandbox() -> None:
    config = read_config({})
    assert config.database_url == ""
    assert config.redis_url == ""
    assert not config.carrier_is_configured
    assert config.data_dir == BASE_DIR / ".data"


def test_a_whole_carrier_is_accepted() -> None:
    config = read_config(TWILIO)
    assert config.carrier_is_configured
    assert config.public_base_url == "https://aftercare.example.org"


def test_a_stand_in_for_twilio_may_be_on_this_machine() -> None:
    local = {"PUBLIC_BASE_URL": "http://127.0.0.1:8000/", "TWILIO_API_BASE_URL": "http://127.0.0.1:8010/"}
    config = read_config(TWILIO | local)
    assert config.twilio_api_base_url == "http://127.0.0.1:8010"
    assert config.public_base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        pytest.param(TWILIO | {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN", id="sid without token"),
        pytest.param(TWILIO | {"TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID", id="token without sid"),
        pytest.param(TWILIO | {"TWILIO_ACCOUNT_SID": "SK1"}, "TWILIO_ACCOUNT_SID", id="an api key in place of the sid"),
        pytest.param(TWILIO | {"PUBLIC_BASE_URL": ""}, "PUBLIC_BASE_URL", id="no public address"),
        pytest.param(TWILIO | {"PUBLIC_BASE_URL": "http://a.example"}, "PUBLIC_BASE_URL", id="replies unencrypted"),
        pytest.param(TWILIO | {"PUBLIC_BASE_URL": "https://localhost"}, "PUBLIC_BASE_URL", id="not reachable"),
        pytest.param({"TWILIO_API_BASE_URL": "http://127.0.0.1:1"}, "TWILIO_API_BASE_URL", id="stand-in, no account"),
        pytest.param({"PUBLIC_BASE_URL": "ftp://a.example"}, "PUBLIC_BASE_URL", id="not a web address"),
        pytest.param({"PUBLIC_BASE_URL": "aftercare.example"}, "PUBLIC_BASE_URL", id="no scheme"),
        pytest.param({"PUBLIC_BASE_URL": "https://a.example:port"}, "PUBLIC_BASE_URL", id="odd port"),
        pytest.param({"DATABASE_URL": "mysql://secret@h/d"}, "DATABASE_URL", id="another database"),
        pytest.param({"REDIS_URL": "amqp://secret@h"}, "REDIS_URL", id="another broker"),
        pytest.param({"REMINDERS_SECRET_KEY": "short"}, "REMINDERS_SECRET_KEY", id="short secret"),
        pytest.param({"REMINDERS_MEDIA_KEYS": f"{MEDIA_KEY},secret@"}, "REMINDERS_MEDIA_KEYS", id="half a key"),
        pytest.param({"REMINDERS_MEDIA_KEYS": f"{MEDIA_KEY},"}, "REMINDERS_MEDIA_KEYS", id="a comma too many"),
        pytest.param({"REMINDERS_METRICS_TOKEN": "short"}, "REMINDERS_METRICS_TOKEN", id="a token to be guessed"),
        pytest.param({"REMINDERS_HISTORY_MONTHS": "1"}, "REMINDERS_HISTORY_MONTHS", id="a history too short"),
        pytest.param({"REMINDERS_DEBUG": "perhaps"}, "REMINDERS_DEBUG", id="neither yes nor no"),
        pytest.param({"REMINDERS_LOG_FORMAT": "xml"}, "REMINDERS_LOG_FORMAT", id="unknown choice"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(environ: dict[str, str], names: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(environ)
    message = str(error.value)
    assert names in message
    assert message.endswith(".")
    assert "\n" not in message
    assert "secret@" not in message, "an address may hold a password"


def test_every_setting_has_a_field_and_every_field_a_setting() -> None:
    short_names = {setting.name.removeprefix("REMINDERS_").lower() for setting in SETTINGS}
    assert short_names == {field.name for field in fields(Config)}


def test_every_setting_is_in_the_reference_with_its_default_and_meaning() -> None:
    page = (BASE_DIR / "docs" / "configuration.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        row = f"| `{setting.name}` | {setting.default} | {setting.description} |"
        assert row in page, f"docs/configuration.md lacks this row, word for word:\n{row}"


def test_the_reference_names_no_setting_that_is_gone() -> None:
    page = (BASE_DIR / "docs" / "configuration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE))
    assert documented == {setting.name for setting in SETTINGS}


def test_no_code_reads_a_product_setting_that_the_docs_lack() -> None:
    of_single_commands = (BASE_DIR / "docs" / "running.md").read_text(encoding="utf-8")
    known = {setting.name for setting in SETTINGS} | set(re.findall(r"`(REMINDERS_[A-Z_]+)`", of_single_commands))
    known.add("REMINDERS_STACK")  # a mark on processes, set by `reminders up` for itself
    known.add("REMINDERS_CRASH_POINT")  # for `make chaos` alone, and ignored where the carrier is a real one
    for source in (BASE_DIR / "reminders").rglob("*.py"):
        used = set(re.findall(r'"(REMINDERS_[A-Z_]+)"', source.read_text(encoding="utf-8")))
        assert used <= known, f"{source.relative_to(BASE_DIR)} reads {used - known}"


def test_a_home_folder_may_be_written_with_a_tilde() -> None:
    assert read_config({"REMINDERS_DATA_DIR": "~/reminders"}).data_dir == Path.home() / "reminders"


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("redis://:pw@host:6379/1", "redis://:pw@host:6379/1"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
    ],
)
def test_celery_gets_the_broker_in_its_own_words(redis_url: str, broker_url: str) -> None:
    assert celery_broker_url(redis_url) == broker_url
