"""The judgements of `doctor`: each thing that can be wrong is said once, in a sentence, with what to do."""

import re
from dataclasses import replace
from typing import Any

import pytest

from reminders.config import BASE_DIR
from reminders.core.states import Severity
from reminders.insights.clinic_gaps import ClinicGaps
from reminders.insights.diagnosis import CHECKS, Facts, diagnose
from reminders.insights.figures import Figures, SenderFigures, Waiting
from reminders.insights.findings import Finding, Level
from reminders.insights.heartbeats import DUTIES, Duty
from reminders.insights.upkeep import LongTransaction, OldestHolder, TableUpkeep, Upkeep
from reminders.management.doctor_checks import OUTSIDE
from reminders.messaging.history import HistoryStand

NONE = Waiting(0, 0)
SENDER = SenderFigures(
    sender_id=3,
    clinic="north",
    parts_per_second=1,
    used_parts_per_second=0.5,
    due=0,
    is_paused=False,
    paused_reason="account_stopped",
)
HOT = TableUpkeep("reminders_outbox", live=90_000, dead=40_000, size_bytes=2**26, cleaned_seconds=7200)
KEPT_WELL = Upkeep(
    longest=LongTransaction(pid=41, state="active", seconds=3),
    holder=OldestHolder("session", "41", seconds=3, transactions=900),
    tables=(HOT,),
    autovacuum=True,
    history=HistoryStand(months_ahead=3, rows_in_rest=0),
)
WELL = Figures(
    due=Waiting(4, 0.4),
    late=0,
    held={"claimed": 1, "sending": 2},
    ambiguous=Waiting(1, 90),
    unresolved=NONE,
    lately={"delivered": 900},
    senders=(SENDER,),
    cases={("urgent", "open"): 1},
    untaken={"urgent": Waiting(1, 40)} | {str(one): NONE for one in Severity if one is not Severity.URGENT},
    overdue_cases=0,
    unread=Waiting(1, 2),
    inbox=Waiting(3, 9000),
    texts_to_nobody=0,
    pictures=Waiting(2, 20),
    sessions_owed_a_plan=Waiting(1, 3),
    second_carrier_ids=0,
    reports_of_nothing=0,
    upkeep=KEPT_WELL,
    duties=tuple(Duty(kind, duty, 1, 2.0) for kind, duty in DUTIES),
    clock_offset_seconds=0,
)
CLINIC = ClinicGaps(
    clinic="north", senders=1, rungs=2, reachable=3, has_protocol=True, missing_texts=(), is_paused=False
)
FACTS = Facts(figures=WELL, clinics=(CLINIC,), has_real_carrier=True)


def found(**figures: Any) -> list[Finding]:
    """What is found where these figures differ from those of a good day."""
    return diagnose(replace(FACTS, figures=replace(WELL, **figures)))


def test_on_a_good_day_nothing_is_found() -> None:
    assert diagnose(FACTS) == []


@pytest.mark.parametrize(
    ("figures", "check", "level", "says"),
    [
        pytest.param({"due": Waiting(12, 1500)}, "sending", "danger", "12 are due, the oldest for 25 min", id="late"),
        pytest.param({"overdue_cases": 2}, "overdue_cases", "attention", "2 cases", id="overdue"),
        pytest.param({"unresolved": Waiting(1, 7300)}, "unknown_fate", "attention", "1 text arrived", id="unresolved"),
        pytest.param({"ambiguous": Waiting(5, 4000)}, "unknown_fate", "attention", "5 texts", id="no evidence"),
        pytest.param({"second_carrier_ids": 1}, "taken_twice", "danger", "took 1 text twice", id="taken twice"),
        pytest.param({"reports_of_nothing": 2}, "reports", "attention", "2 status reports", id="reports of nothing"),
        pytest.param({"unread": Waiting(1, 61)}, "replies", "danger", "1 reply not read", id="unread"),
        pytest.param({"texts_to_nobody": 3}, "replies", "danger", "no sender of any clinic", id="to nobody"),
        pytest.param({"pictures": Waiting(2, 1200)}, "pictures", "attention", "2 pictures from", id="pictures"),
        pytest.param({"sessions_owed_a_plan": Waiting(2, 4e5)}, "plans", "danger", "oldest for 4 days", id="unplanned"),
        pytest.param({"clock_offset_seconds": 7200}, "clock", "danger", "moved by 2 h 0 min", id="moved clock"),
        pytest.param(
            {"untaken": WELL.untaken | {"urgent": Waiting(1, 420)}}, "urgent_cases", "danger", "7 min", id="urgent"
        ),
        pytest.param(
            {"senders": (replace(SENDER, is_paused=True, due=8),)}, "senders", "attention", "account_stopped", id="held"
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(figures: dict[str, Any], check: str, level: str, says: str) -> None:
    (finding,) = found(**figures)

    assert (finding.check, finding.level) == (check, level)
    assert says in finding.sentence
    assert finding.sentence.endswith(".")
    assert finding.advice.endswith((".", "?"))


@pytest.mark.parametrize(
    ("differs", "check", "says", "advises"),
    [
        pytest.param(
            {"holder": OldestHolder("session", "41", seconds=1800, transactions=5)},
            "upkeep", "an open transaction (server process 41)", "pg_terminate_backend(41)", id="a session",
        ),
        pytest.param(
            {"holder": OldestHolder("slot", "old_copy", seconds=0, transactions=4_000_000)},
            "upkeep", "4000000 transactions", "pg_drop_replication_slot", id="a slot",
        ),
        pytest.param(
            {"holder": OldestHolder("standby", "second", seconds=0, transactions=4_000_000)},
            "upkeep", "standby second", "hot_standby_feedback", id="a standby",
        ),
        pytest.param(
            {"holder": OldestHolder("prepared", "77", seconds=4000, transactions=1)},
            "upkeep", "prepared transaction 77", "ROLLBACK PREPARED", id="a prepared transaction",
        ),
        pytest.param(
            {"longest": LongTransaction(41, "idle in transaction", 3600)},
            "upkeep", "open for 60 min (server process 41, idle in transaction)", "pg_terminate_backend(41)", id="idle",
        ),
        pytest.param({"autovacuum": False}, "upkeep", "does not clean itself", "autovacuum = on", id="no autovacuum"),
        pytest.param(
            {"tables": (replace(HOT, dead=400_000),)},
            "upkeep", "400,000 former versions beside 90,000 rows and was cleaned 2 h 0 min ago", "VACUUM", id="bloat",
        ),
        pytest.param({"history": HistoryStand(0, 0)}, "history", "no room", "history_busy", id="no month ahead"),
        pytest.param({"history": HistoryStand(3, 12)}, "history", "12 rows", "history_busy", id="rows in no month"),
    ],
)  # fmt: skip
def test_a_database_that_is_not_kept_well_is_told_how(
    differs: dict[str, Any], check: str, says: str, advises: str
) -> None:
    (finding,) = found(upkeep=replace(KEPT_WELL, **differs))

    assert (finding.check, finding.level) == (check, "attention")
    assert says in finding.sentence
    assert advises in finding.advice


def test_a_table_that_turns_over_fast_and_was_cleaned_a_moment_ago_is_well() -> None:
    assert found(upkeep=replace(KEPT_WELL, tables=(replace(HOT, dead=9_000_000, cleaned_seconds=30),))) == []


def test_a_duty_that_nobody_is_at_names_the_command_to_start() -> None:
    gone = [Duty("scheduler", "chores", 0, 400.0), Duty("worker", "think", 0, None), Duty("worker", "urgent", 0, 40.0)]
    first, second, third = found(duties=tuple(gone))

    assert "rings ladders" in first.sentence
    assert "last seen 7 min ago" in first.sentence
    assert "`reminders scheduler`" in first.advice
    assert "was never seen" in second.sentence
    assert "--queues think" in second.advice
    assert "serves the queue urgent" in third.sentence


def test_a_moved_clock_is_expected_with_the_sandbox() -> None:
    moved = replace(WELL, clock_offset_seconds=7200)

    assert diagnose(replace(FACTS, figures=moved, has_real_carrier=False)) == []


@pytest.mark.parametrize(
    ("gap", "level", "says"),
    [
        pytest.param({"senders": 0}, "danger", "no number to text from", id="no sender"),
        pytest.param({"rungs": 0}, "attention", "no on-call ladder", id="no ladder"),
        pytest.param({"rungs": 0, "reachable": 0}, "danger", "nobody to ring", id="nobody"),
        pytest.param({"has_protocol": False}, "danger", "no protocol", id="no protocol"),
        pytest.param({"missing_texts": ("help", "nudge")}, "danger", "help, nudge", id="missing texts"),
        pytest.param({"is_paused": True}, "attention", "is paused", id="paused"),
    ],
)
def test_what_a_clinic_lacks_is_said_by_its_slug(gap: dict[str, Any], level: str, says: str) -> None:
    (finding,) = diagnose(replace(FACTS, clinics=(replace(CLINIC, **gap),)))

    assert finding.level == level
    assert finding.sentence.startswith("north ")
    assert says in finding.sentence


def test_an_installation_without_a_clinic_is_told_how_to_make_one() -> None:
    (finding,) = diagnose(replace(FACTS, clinics=()))
    assert "add-clinic" in finding.advice


def test_danger_comes_first() -> None:
    levels = [finding.level for finding in found(overdue_cases=1, second_carrier_ids=1, unresolved=Waiting(1, 1))]
    assert levels == [Level.DANGER, Level.ATTENTION, Level.ATTENTION]


def test_every_check_is_explained_and_none_that_is_gone() -> None:
    page = (BASE_DIR / "docs" / "monitoring.md").read_text(encoding="utf-8")
    table = page[page.index("| check | asks |") :].split("\n\n")[0]
    names = [name for line in table.splitlines()[2:] for name in re.findall(r"`([a-z_]+)`", line.split("|")[1])]
    assert sorted(names) == sorted([*OUTSIDE, *CHECKS])
