"""`reminders doctor`: says what is wrong, and ends with 1 where something is."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db.migrations.recorder import MigrationRecorder

from reminders.config import BASE_DIR, read_config
from reminders.content.services import load_starters
from reminders.core.understanding.lexicon import LexiconError
from reminders.insights.heartbeats import DUTIES, Pulse, process_name
from reminders.management import doctor_checks
from reminders.management.doctor import doctor
from reminders.management.doctor_checks import has_real_carrier, judge_configuration
from tests.factories import make_clinic, make_clinician, make_ladder
from tests.stack.launch import clean_environment

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "a-token",
    "PUBLIC_BASE_URL": "https://aftercare.example.org",
}
STAND_IN = {"TWILIO_API_BASE_URL": "http://127.0.0.1:8010"}


def ask(*words: str) -> Result:
    """Run the command in this process, on the test's database."""
    return CliRunner().invoke(doctor, list(words))


def found(*words: str) -> set[str]:
    """The names of the checks that found something."""
    result = ask("--json", *words)
    answer = json.loads(result.stdout)
    assert result.exit_code == (0 if answer["ok"] else 1)
    return {finding["check"] for finding in answer["findings"]}


@pytest.fixture
def well(db: None, redis_url: str) -> None:
    """A clinic that is set up, and somebody at each duty."""
    clinic = make_clinic()
    load_starters(clinic=clinic, now=datetime.now(UTC))
    make_ladder(clinic=clinic, clinicians=[make_clinician(clinic=clinic)])
    for kind, duty in DUTIES:
        Pulse(kind=kind, duties=[duty], name=process_name()).beat()


@pytest.mark.usefixtures("well")
def test_all_is_well() -> None:
    result = ask()

    assert (result.exit_code, result.stdout) == (0, "All is well.\n"), result.stdout
    assert found() == set()


@pytest.mark.usefixtures("well")
def test_what_is_wrong_is_a_sentence_and_an_advice() -> None:
    make_clinic(slug="fresh")

    result = ask()

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "DANGER: fresh has no protocol: its sessions get no texts." in lines
    assert lines[lines.index("DANGER: fresh has no protocol: its sessions get no texts.") + 1].strip()


@pytest.mark.usefixtures("well")
def test_a_database_that_is_older_than_the_code_is_asked_nothing_else() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="reminders").order_by("-name").first()
    assert newest is not None
    newest.delete()

    assert found() == {"migrations"}


@pytest.mark.usefixtures("well")
@pytest.mark.parametrize(
    ("variable", "address", "check"),
    [
        ("DATABASE_URL", "postgresql://secret@127.0.0.1:9/none", "database"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:9/0", "broker"),
    ],
)
def test_a_server_that_is_away_is_named_without_its_address(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str, check: str
) -> None:
    monkeypatch.setenv(variable, address)

    assert found() == {check}
    assert "secret" not in ask().stdout


@pytest.mark.usefixtures("well")
def test_words_that_do_not_load_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> Any:
        raise LexiconError("words.toml: no group")

    monkeypatch.setattr(doctor_checks, "read", broken)

    assert found() == {"lexicon"}


@pytest.mark.usefixtures("well")
@pytest.mark.parametrize("process", ["scheduler", "worker"])
def test_a_health_check_asks_for_one_kind_of_process_of_this_host(process: str) -> None:
    make_clinic(slug="fresh")

    assert ask("--process", process).exit_code == 0


@pytest.mark.django_db
def test_a_health_check_fails_where_one_of_the_schedulers_threads_is_silent() -> None:
    Pulse(kind="scheduler", duties=["dispatch"], name=process_name()).beat()
    Pulse(kind="scheduler", duties=["dispatch", "chores"], name="elsewhere:1").beat()

    result = ask("--process", "scheduler")

    assert result.exit_code == 1
    assert "chores not done" in result.stdout


@pytest.mark.django_db
def test_a_worker_is_well_with_the_queues_it_has() -> None:
    assert ask("--process", "worker").exit_code == 1
    Pulse(kind="worker", duties=["send"], name=process_name()).beat()
    assert ask("--process", "worker").exit_code == 0


def test_half_set_configuration_is_one_of_the_findings(tmp_path: Path) -> None:
    environment = clean_environment(TWILIO_ACCOUNT_SID="AC1", REMINDERS_DATA_DIR=str(tmp_path / "none"))
    result = subprocess.run(
        [sys.executable, "-m", "reminders.management", "doctor", "--json"],
        env=environment, cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["check"] == "configuration"
    assert "TWILIO_AUTH_TOKEN" in finding["sentence"]
    assert not (tmp_path / "none").exists(), "asking starts nothing"


@pytest.mark.parametrize(
    ("extra", "is_real", "problems"),
    [
        pytest.param({}, True, 0, id="a real carrier"),
        pytest.param(STAND_IN, True, 0, id="another server that speaks its contract"),
        pytest.param(STAND_IN | {"REMINDERS_SANDBOX": "1"}, False, 0, id="the sandbox"),
        pytest.param({"REMINDERS_SANDBOX": "1"}, True, 1, id="the sandbox's mark beside a real carrier"),
        pytest.param({"REMINDERS_DEBUG": "1"}, True, 1, id="error pages with code"),
    ],
)
def test_settings_that_belong_to_a_laptop_are_danger_with_patients(
    extra: dict[str, str], is_real: bool, problems: int
) -> None:
    config = read_config(TWILIO | extra)

    assert has_real_carrier(config) is is_real
    assert len(list(judge_configuration(config))) == problems
