"""Each sentence of the schedule's rules, with the expected moments written out."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from reminders.core.quiet_hours import DEFAULT_QUIET, QuietWindow
from reminders.core.schedule import (
    Dropped,
    Placed,
    ScheduleError,
    ScheduleStep,
    StepKind,
    WhenQuiet,
    lay_out,
    place_step,
)

CHICAGO = ZoneInfo("America/Chicago")
LATER, EARLIER, SKIP = WhenQuiet.LATER, WhenQuiet.EARLIER, WhenQuiet.SKIP
HEAT = ScheduleStep("heat", StepKind.ADVICE, 60, LATER, 720)
EXERCISE = ScheduleStep("exercise", StepKind.ADVICE, 240, LATER, 720)
OTC = ScheduleStep("otc", StepKind.ADVICE, 360, LATER, 720)
CHECK_IN = ScheduleStep("check_in", StepKind.CHECK_IN, 1440, LATER, 720)
NUDGE = ScheduleStep("nudge", StepKind.NUDGE, 240, LATER, 960)
RECHECK = ScheduleStep("recheck", StepKind.RECHECK, 1440, LATER, 720)
DEFAULT_PROTOCOL = [HEAT, EXERCISE, OTC, CHECK_IN, NUDGE, RECHECK]


def advice(key: str, offset: int, when_quiet: WhenQuiet = LATER, expires: int = 720) -> ScheduleStep:
    return ScheduleStep(key, StepKind.ADVICE, offset, when_quiet, expires)


def laid(
    steps: Sequence[ScheduleStep], ended: str, zone: str = "America/Chicago", quiet: QuietWindow = DEFAULT_QUIET
) -> dict[str, str]:
    """Lay out, and tell each step's local time without its seconds, or why it was dropped."""
    ended_at, place = datetime.fromisoformat(ended), ZoneInfo(zone)
    return {
        step.key: step.at.astimezone(place).isoformat(timespec="minutes") if isinstance(step, Placed) else step.reason
        for step in lay_out(steps=steps, ended_at=ended_at, zone=place, quiet=quiet)
    }


def test_a_session_at_17_40_fills_the_evening_and_the_morning() -> None:
    assert laid(DEFAULT_PROTOCOL, "2026-01-14T17:40-06:00") == {
        "heat": "2026-01-14T18:40-06:00",
        "exercise": "2026-01-15T09:00-06:00",
        "otc": "2026-01-15T09:10-06:00",
        "check_in": "2026-01-15T17:40-06:00",
    }


def test_a_placed_step_keeps_when_it_was_first_due_and_its_expiry_counts_from_there() -> None:
    ended_at = datetime(2026, 1, 14, 23, 40, tzinfo=UTC)

    assert lay_out(steps=[EXERCISE], ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET) == [
        Placed(
            key="exercise",
            kind=StepKind.ADVICE,
            first_due_at=datetime(2026, 1, 15, 3, 40, tzinfo=UTC),
            at=datetime(2026, 1, 15, 15, 0, tzinfo=UTC),
            expires_at=datetime(2026, 1, 15, 15, 40, tzinfo=UTC),
        )
    ]


@pytest.mark.parametrize(
    ("ended", "check_in"),
    [
        ("2026-10-31T17:40-05:00", "2026-11-01T16:40-06:00"),
        ("2026-03-07T17:40-06:00", "2026-03-08T18:40-05:00"),
        ("2026-06-07T17:40-05:00", "2026-06-08T17:40-05:00"),
    ],
)
def test_an_offset_is_elapsed_time_whatever_the_wall_says(ended: str, check_in: str) -> None:
    assert laid([CHECK_IN], ended) == {"check_in": check_in}


def test_seconds_of_the_sessions_end_are_kept() -> None:
    ended_at = datetime(2026, 1, 14, 18, 0, 7, 250_000, tzinfo=UTC)
    (step,) = lay_out(steps=[HEAT], ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)

    assert isinstance(step, Placed)
    assert step.at == datetime(2026, 1, 14, 19, 0, 7, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ended", "heat"),
    [
        ("2026-01-14T18:59-06:00", "2026-01-14T19:59-06:00"),
        ("2026-01-14T21:00-06:00", "2026-01-15T09:00-06:00"),  # due at 22:00, expires at 10:00
        ("2026-01-14T20:00-06:00", "2026-01-15T09:00-06:00"),  # leaves exactly at its expiry
        ("2026-01-14T19:59-06:00", "expired"),  # due at 20:59, would be a minute past it
        ("2026-01-14T19:00-06:00", "expired"),  # due at 20:00: a time equal to start is quiet
        ("2026-01-15T08:00-06:00", "2026-01-15T09:00-06:00"),  # due at 09:00: a time equal to end is not
    ],
)
def test_later_moves_to_the_next_end_unless_that_is_past_the_expiry(ended: str, heat: str) -> None:
    assert laid([HEAT], ended) == {"heat": heat}


@pytest.mark.parametrize(
    ("ended", "offset", "expected"),
    [
        ("2026-01-14T17:40-06:00", 240, "2026-01-14T19:59-06:00"),
        ("2026-01-14T17:40-06:00", 800, "2026-01-14T19:59-06:00"),  # due at 07:00 next day: the evening before
        ("2026-01-14T19:54-06:00", 240, "2026-01-14T19:59-06:00"),  # exactly the session's end + 5 minutes
        ("2026-01-14T19:55-06:00", 240, "2026-01-15T09:00-06:00"),  # 4 minutes after it: later
        ("2026-01-14T22:00-06:00", 60, "2026-01-15T09:00-06:00"),  # ended in quiet hours: later
        ("2026-01-14T10:00-06:00", 60, "2026-01-14T11:00-06:00"),  # not quiet: unmoved
    ],
)
def test_earlier_moves_before_the_start_unless_the_session_just_ended(ended: str, offset: int, expected: str) -> None:
    assert laid([advice("tip", offset, EARLIER, 960)], ended) == {"tip": expected}


def test_earlier_that_has_to_go_later_still_expires() -> None:
    assert laid([advice("tip", 10, EARLIER, 60)], "2026-01-14T19:55-06:00") == {"tip": "expired"}


def test_earlier_that_would_itself_be_quiet_goes_later() -> None:
    # Half a minute is open a day: one minute before the start lies in the window before.
    quiet = QuietWindow(time(20), time(19, 59, 30))

    assert laid([advice("tip", 840, EARLIER, 1440)], "2026-01-14T10:00-06:00", quiet=quiet) == {
        "tip": "2026-01-15T19:59-06:00"
    }


def test_skip_drops_with_its_reason_in_words() -> None:
    ended_at = datetime.fromisoformat("2026-01-14T17:40-06:00")
    (step,) = lay_out(steps=[advice("tip", 240, SKIP)], ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)

    assert isinstance(step, Dropped)
    assert (step.key, step.reason) == ("tip", "quiet_hours")
    assert step.first_due_at == datetime(2026, 1, 15, 3, 40, tzinfo=UTC)
    assert step.sentence == "It was due in the patient's quiet hours, and the protocol skips it then."
    assert laid([advice("tip", 60, SKIP)], "2026-01-14T17:40-06:00") == {"tip": "2026-01-14T18:40-06:00"}


def test_an_expired_step_says_so_in_words() -> None:
    ended_at = datetime.fromisoformat("2026-01-14T19:30-06:00")
    (step,) = lay_out(steps=[HEAT], ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)

    assert isinstance(step, Dropped)
    assert step.sentence == "The first moment it could leave was past its expiry."


@pytest.mark.parametrize(
    ("zone", "ended", "start", "end", "when_quiet", "expected"),
    [
        # end on a time that does not exist, and on one that exists twice
        ("America/Chicago", "2026-03-08T00:00-06:00", "20:00", "02:30", LATER, "2026-03-08T03:00-05:00"),
        ("America/Chicago", "2026-11-01T00:00-05:00", "20:00", "01:30", LATER, "2026-11-01T01:30-05:00"),
        ("Africa/Cairo", "2026-04-23T21:00+02:00", "20:00", "00:30", LATER, "2026-04-24T01:00+03:00"),
        ("Australia/Lord_Howe", "2026-10-04T00:30+10:30", "20:00", "02:15", LATER, "2026-10-04T02:30+11:00"),
        ("Pacific/Apia", "2011-12-29T21:00-10:00", "20:00", "09:00", LATER, "2011-12-31T09:00+14:00"),
        # start on a time that does not exist, and on one that exists twice
        ("America/Chicago", "2026-03-08T01:30-06:00", "02:30", "09:00", EARLIER, "2026-03-08T01:59-06:00"),
        ("America/Chicago", "2026-11-01T01:20-05:00", "01:30", "09:00", EARLIER, "2026-11-01T01:29-05:00"),
        ("America/Havana", "2026-11-01T00:20-04:00", "00:30", "09:00", EARLIER, "2026-11-01T00:29-04:00"),
        ("Asia/Beirut", "2026-10-24T22:50+03:00", "23:30", "09:00", EARLIER, "2026-10-24T23:29+03:00"),
    ],
)
def test_an_end_or_start_that_the_clock_skips_or_repeats(
    zone: str, ended: str, start: str, end: str, when_quiet: WhenQuiet, expected: str
) -> None:
    quiet = QuietWindow(time.fromisoformat(start), time.fromisoformat(end))

    assert laid([advice("tip", 50, when_quiet, 2880)], ended, zone, quiet) == {"tip": expected}


def test_nudge_and_recheck_are_left_out_until_what_they_follow_happens() -> None:
    assert laid([NUDGE, RECHECK], "2026-01-14T17:40-06:00") == {}


def test_a_nudge_counts_from_its_check_in_and_a_recheck_from_the_answer() -> None:
    ended_at = datetime.fromisoformat("2026-01-14T17:40-06:00")
    sent_at = datetime.fromisoformat("2026-01-15T17:40:03-06:00")
    answered_at = datetime.fromisoformat("2026-01-15T19:00-06:00")
    nudge = place_step(step=NUDGE, anchor_at=sent_at, ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)
    recheck = place_step(step=RECHECK, anchor_at=answered_at, ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)

    assert isinstance(nudge, Placed)
    assert nudge.at == datetime.fromisoformat("2026-01-16T09:00-06:00")
    assert isinstance(recheck, Placed)
    assert recheck.at == datetime.fromisoformat("2026-01-16T19:00-06:00")


def test_a_nudge_never_moves_before_its_question() -> None:
    ended_at = datetime.fromisoformat("2026-01-14T19:57-06:00")
    sent_at = datetime.fromisoformat("2026-01-15T19:57-06:00")
    step = ScheduleStep("nudge", StepKind.NUDGE, 240, EARLIER, 960)
    nudge = place_step(step=step, anchor_at=sent_at, ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)

    assert isinstance(nudge, Placed)
    assert nudge.at == datetime.fromisoformat("2026-01-16T09:00-06:00")


@pytest.mark.parametrize("anchor", [datetime(2026, 1, 14), datetime(9999, 12, 31, 22, tzinfo=UTC)])  # noqa: DTZ001
def test_a_moment_that_names_no_day_of_the_calendar_is_refused(anchor: datetime) -> None:
    with pytest.raises(ScheduleError, match=r"^(Give moments with their zone|Bring step 'check_in' closer)"):
        place_step(step=CHECK_IN, anchor_at=anchor, ended_at=anchor, zone=CHICAGO, quiet=DEFAULT_QUIET)


@pytest.mark.parametrize(("offset", "expires"), [(-1, 0), (0, -1)])
def test_a_step_cannot_be_due_or_expire_before_its_time(offset: int, expires: int) -> None:
    with pytest.raises(ScheduleError, match="be 0 or more"):
        advice("tip", offset, LATER, expires)
