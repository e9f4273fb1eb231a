"""Quiet hours on plain days and on days when the clock changes, with the expected moments written out."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.core.quiet_hours import (
    DEFAULT_QUIET,
    QuietWindow,
    QuietWindowError,
    before_opening_start,
    check_window,
    first_instant,
    is_quiet,
    next_open,
)


def window(start: str, end: str) -> QuietWindow:
    return QuietWindow(time.fromisoformat(start), time.fromisoformat(end))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


PLAIN_DAYS = [
    ("20:00", "09:00", "2026-01-15T19:59:59-06:00", False),
    ("20:00", "09:00", "2026-01-15T20:00:00-06:00", True),  # a time equal to start is quiet
    ("20:00", "09:00", "2026-01-15T23:59:59-06:00", True),
    ("20:00", "09:00", "2026-01-16T00:00:00-06:00", True),
    ("20:00", "09:00", "2026-01-16T08:59:59.999999-06:00", True),
    ("20:00", "09:00", "2026-01-16T09:00:00-06:00", False),  # a time equal to end is not
    ("20:00", "09:00", "2026-01-16T02:30:00+00:00", True),  # 20:30 in Chicago, told in UTC
    ("12:00", "14:00", "2026-01-15T11:59:00-06:00", False),
    ("12:00", "14:00", "2026-01-15T12:00:00-06:00", True),
    ("12:00", "14:00", "2026-01-15T13:59:00-06:00", True),
    ("12:00", "14:00", "2026-01-15T14:00:00-06:00", False),
    ("12:00", "14:00", "2026-01-15T23:00:00-06:00", False),
    ("00:00", "08:00", "2026-01-15T00:00:00-06:00", True),
    ("00:00", "08:00", "2026-01-15T23:59:00-06:00", False),
    ("22:00", "00:00", "2026-01-15T23:59:00-06:00", True),
    ("22:00", "00:00", "2026-01-16T00:00:00-06:00", False),
    ("09:00", "09:00", "2026-01-15T09:00:00-06:00", False),  # start and end alike: never quiet
    ("09:00", "09:00", "2026-01-15T03:00:00-06:00", False),
]


@pytest.mark.parametrize(("start", "end", "at", "expected"), PLAIN_DAYS)
def test_start_is_quiet_and_end_is_not(start: str, end: str, at: str, expected: bool) -> None:
    assert is_quiet(at=moment(at), zone=ZoneInfo("America/Chicago"), quiet=window(start, end)) is expected


CHANGED_CLOCKS = [
    # The hour from 01:00 to 02:00 happens twice; end at 01:30 is the first, and the second is open throughout.
    ("America/Chicago", "20:00", "01:30", "2026-11-01T01:29:00-05:00", True),
    ("America/Chicago", "20:00", "01:30", "2026-11-01T01:30:00-05:00", False),
    ("America/Chicago", "20:00", "01:30", "2026-11-01T01:00:00-06:00", False),
    ("America/Chicago", "20:00", "01:30", "2026-11-01T01:29:00-06:00", False),
    # Start at 01:30 is the first as well, and the second 01:00-01:30 is quiet.
    ("America/Chicago", "01:30", "09:00", "2026-11-01T01:29:00-05:00", False),
    ("America/Chicago", "01:30", "09:00", "2026-11-01T01:30:00-05:00", True),
    ("America/Chicago", "01:30", "09:00", "2026-11-01T01:00:00-06:00", True),
    # A window inside the repeated hour is over once, 15 minutes long, and does not come back.
    ("America/Chicago", "01:15", "01:30", "2026-11-01T01:20:00-05:00", True),
    ("America/Chicago", "01:15", "01:30", "2026-11-01T01:20:00-06:00", False),
    # 02:00 to 03:00 does not happen.
    ("America/Chicago", "02:30", "09:00", "2026-03-08T01:59:00-06:00", False),
    ("America/Chicago", "02:30", "09:00", "2026-03-08T03:00:00-05:00", True),
    ("America/Chicago", "20:00", "02:30", "2026-03-08T01:59:00-06:00", True),
    ("America/Chicago", "20:00", "02:30", "2026-03-08T03:00:00-05:00", False),
    ("America/Chicago", "02:10", "02:50", "2026-03-08T03:00:00-05:00", False),
    ("America/Chicago", "02:10", "02:50", "2026-03-09T02:10:00-05:00", True),
    # The clock goes back over midnight (23:00-24:00 twice) or over the first hour of the day.
    ("America/Santiago", "23:30", "09:00", "2026-04-04T23:29:00-03:00", False),
    ("America/Santiago", "23:30", "09:00", "2026-04-04T23:30:00-03:00", True),
    ("America/Santiago", "23:30", "09:00", "2026-04-04T23:10:00-04:00", True),
    ("Africa/Cairo", "20:00", "23:30", "2026-10-29T23:29:00+03:00", True),
    ("Africa/Cairo", "20:00", "23:30", "2026-10-29T23:10:00+02:00", False),
    ("America/Havana", "00:30", "08:00", "2026-11-01T00:30:00-04:00", True),
    ("America/Havana", "00:30", "08:00", "2026-11-01T00:15:00-05:00", True),
    # St John's went back from 00:01 to 23:01: midnight, and with it start, came before the second 23:30.
    ("America/St_Johns", "00:00", "08:00", "2010-11-06T23:30:00-02:30", False),
    ("America/St_Johns", "00:00", "08:00", "2010-11-06T23:30:00-03:30", True),
    # Half an hour at Lord Howe: 01:30-02:00 twice.
    ("Australia/Lord_Howe", "20:00", "01:45", "2026-04-05T01:45:00+11:00", False),
    ("Australia/Lord_Howe", "20:00", "01:45", "2026-04-05T01:40:00+10:30", False),
    # Samoa skipped 30 December 2011, and the noon rest of that day with it.
    ("Pacific/Apia", "12:00", "14:00", "2011-12-31T00:00:00+14:00", False),
    ("Pacific/Apia", "20:00", "09:00", "2011-12-31T00:00:00+14:00", True),
    # Morocco goes back for Ramadan.
    ("Africa/Casablanca", "20:00", "02:30", "2026-02-15T02:30:00+01:00", False),
    ("Africa/Casablanca", "20:00", "02:30", "2026-02-15T02:10:00+00:00", False),
]


@pytest.mark.parametrize(("zone", "start", "end", "at", "expected"), CHANGED_CLOCKS)
def test_a_changed_clock_does_not_change_what_is_quiet(
    zone: str, start: str, end: str, at: str, expected: bool
) -> None:
    assert is_quiet(at=moment(at), zone=ZoneInfo(zone), quiet=window(start, end)) is expected


WINDOWS_AROUND = [
    # zone, start, end, a quiet moment, when it is over, one minute before it began
    ("America/Chicago", "20:00", "09:00", "2026-01-15T20:00-06:00", "2026-01-16T09:00-06:00", "2026-01-15T19:59-06:00"),
    ("America/Chicago", "20:00", "09:00", "2026-01-16T08:59-06:00", "2026-01-16T09:00-06:00", "2026-01-15T19:59-06:00"),
    ("America/Chicago", "12:00", "14:00", "2026-01-15T13:00-06:00", "2026-01-15T14:00-06:00", "2026-01-15T11:59-06:00"),
    # Across the change the window is an hour longer or shorter.
    ("America/Chicago", "20:00", "09:00", "2026-11-01T01:30-06:00", "2026-11-01T09:00-06:00", "2026-10-31T19:59-05:00"),
    ("America/Chicago", "20:00", "09:00", "2026-03-08T03:00-05:00", "2026-03-08T09:00-05:00", "2026-03-07T19:59-06:00"),
    # End or start on a time that happens twice: the first.
    ("America/Chicago", "20:00", "01:30", "2026-11-01T00:10-05:00", "2026-11-01T01:30-05:00", "2026-10-31T19:59-05:00"),
    ("America/Chicago", "01:30", "09:00", "2026-11-01T01:10-06:00", "2026-11-01T09:00-06:00", "2026-11-01T01:29-05:00"),
    # On a time that never happens: the first valid minute after it.
    ("America/Chicago", "20:00", "02:30", "2026-03-08T01:00-06:00", "2026-03-08T03:00-05:00", "2026-03-07T19:59-06:00"),
    ("America/Chicago", "02:30", "09:00", "2026-03-08T05:00-05:00", "2026-03-08T09:00-05:00", "2026-03-08T01:59-06:00"),
    (
        "America/Santiago",
        "20:00",
        "00:30",
        "2026-09-05T22:00-04:00",
        "2026-09-06T01:00-03:00",
        "2026-09-05T19:59-04:00",
    ),
    (
        "America/Santiago",
        "00:00",
        "08:00",
        "2026-09-06T02:00-03:00",
        "2026-09-06T08:00-03:00",
        "2026-09-05T23:59-04:00",
    ),
    ("Africa/Cairo", "00:30", "09:00", "2026-04-24T02:00+03:00", "2026-04-24T09:00+03:00", "2026-04-23T23:59+02:00"),
    ("Asia/Beirut", "20:00", "00:00", "2026-03-28T21:00+02:00", "2026-03-29T01:00+03:00", "2026-03-28T19:59+02:00"),
    ("Asia/Beirut", "23:30", "08:00", "2026-10-24T23:15+02:00", "2026-10-25T08:00+02:00", "2026-10-24T23:29+03:00"),
    ("America/Havana", "20:00", "00:30", "2026-03-07T21:00-05:00", "2026-03-08T01:00-04:00", "2026-03-07T19:59-05:00"),
    ("America/Havana", "20:00", "00:30", "2026-10-31T23:00-04:00", "2026-11-01T00:30-04:00", "2026-10-31T19:59-04:00"),
    (
        "Australia/Lord_Howe",
        "20:00",
        "02:15",
        "2026-10-04T01:00+10:30",
        "2026-10-04T02:30+11:00",
        "2026-10-03T19:59+10:30",
    ),
    (
        "Australia/Lord_Howe",
        "01:45",
        "09:00",
        "2026-04-05T01:35+10:30",
        "2026-04-05T09:00+10:30",
        "2026-04-05T01:44+11:00",
    ),
    (
        "Africa/Casablanca",
        "20:00",
        "02:30",
        "2026-03-22T01:00+00:00",
        "2026-03-22T03:00+01:00",
        "2026-03-21T19:59+00:00",
    ),
    # A skipped day: the evening of the 29th runs into the morning of the 31st.
    ("Pacific/Apia", "20:00", "09:00", "2011-12-29T21:00-10:00", "2011-12-31T09:00+14:00", "2011-12-29T19:59-10:00"),
    ("Pacific/Apia", "20:00", "09:00", "2011-12-31T03:00+14:00", "2011-12-31T09:00+14:00", "2011-12-29T19:59-10:00"),
    # Open for half an hour a night, which the change swallows: two windows become one.
    ("America/Chicago", "03:00", "02:30", "2026-03-08T01:00-06:00", "2026-03-09T02:30-05:00", "2026-03-07T02:59-06:00"),
    ("America/Chicago", "03:00", "02:30", "2026-03-08T05:00-05:00", "2026-03-09T02:30-05:00", "2026-03-07T02:59-06:00"),
]


@pytest.mark.parametrize(("zone", "start", "end", "at", "opens", "before"), WINDOWS_AROUND)
def test_a_quiet_moment_knows_when_its_window_is_over_and_when_it_began(
    zone: str, start: str, end: str, at: str, opens: str, before: str
) -> None:
    quiet, place = window(start, end), ZoneInfo(zone)
    over = next_open(at=moment(at), zone=place, quiet=quiet)
    began = before_opening_start(at=moment(at), zone=place, quiet=quiet)

    assert is_quiet(at=moment(at), zone=place, quiet=quiet)
    assert (over, over.tzinfo) == (moment(opens), UTC)
    assert (began, began.tzinfo) == (moment(before), UTC)


@pytest.mark.parametrize("quiet", [DEFAULT_QUIET, window("12:00", "14:00"), window("09:00", "09:00")])
def test_an_open_moment_stays_where_it_is(quiet: QuietWindow) -> None:
    at, zone = moment("2026-01-15T10:11:12.5-06:00"), ZoneInfo("America/Chicago")

    assert next_open(at=at, zone=zone, quiet=quiet) == at
    assert before_opening_start(at=at, zone=zone, quiet=quiet) == at


def test_a_jump_between_minutes_opens_at_the_next_whole_one() -> None:
    # Monrovia went from 00:00:00 to 00:44:30 when it took up GMT.
    opens = first_instant(
        day=datetime(1972, 1, 7, tzinfo=UTC).date(), wall=time(0, 10), zone=ZoneInfo("Africa/Monrovia")
    )

    assert opens == datetime(1972, 1, 7, 0, 45, tzinfo=UTC)


def test_a_naive_moment_is_refused() -> None:
    naive = datetime(2026, 1, 15, 10)  # noqa: DTZ001 that is the point
    with pytest.raises(ValueError, match="with its zone"):
        is_quiet(at=naive, zone=ZoneInfo("America/Chicago"), quiet=DEFAULT_QUIET)


def test_quiet_hours_are_plain_wall_times() -> None:
    with pytest.raises(QuietWindowError, match="plain wall times"):
        QuietWindow(time(20, tzinfo=UTC), time(9))
    with pytest.raises(QuietWindowError, match="plain wall times"):
        QuietWindow(time(20), time(1, 30, fold=1))


@pytest.mark.parametrize(
    ("start", "end"), [("21:00", "08:00"), ("20:00", "09:00"), ("18:00", "12:00"), ("12:30", "12:00")]
)
def test_a_clinic_may_narrow_what_it_sends(start: str, end: str) -> None:
    quiet = window(start, end)
    check_window(quiet)

    for hour in (21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7):
        at = moment("2026-01-15T00:00-06:00") + timedelta(hours=hour)
        assert is_quiet(at=at, zone=ZoneInfo("America/Chicago"), quiet=quiet)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("21:01", "08:00"),
        ("21:00", "07:59"),
        ("22:00", "09:00"),
        ("20:00", "06:00"),
        ("23:00", "22:00"),
        ("12:00", "14:00"),
        ("00:00", "08:00"),
        ("00:00", "23:59"),
        ("09:00", "09:00"),
    ],
)
def test_a_clinic_may_not_send_before_8_or_after_21(start: str, end: str) -> None:
    with pytest.raises(QuietWindowError, match="never texted before 08:00 or after 21:00"):
        check_window(window(start, end))
