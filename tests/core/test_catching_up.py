"""Sessions that are entered late: what was due before anybody knew."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from reminders.core.catching_up import catch_up
from reminders.core.quiet_hours import DEFAULT_QUIET, is_quiet
from reminders.core.schedule import (
    ADVICE_SPACING,
    Dropped,
    DropReason,
    Placed,
    ScheduleStep,
    StepKind,
    WhenQuiet,
    lay_out,
)

CHICAGO = ZoneInfo("America/Chicago")
ADVICE, CHECK_IN = StepKind.ADVICE, StepKind.CHECK_IN


def step(key: str, offset: int, *, kind: StepKind = ADVICE, expires: int = 720) -> ScheduleStep:
    return ScheduleStep(key, kind, offset, WhenQuiet.LATER, expires)


DEFAULT = [step("heat", 60), step("exercise", 240), step("otc", 360), step("check_in", 1440, kind=CHECK_IN)]


def caught_up(now: str, *, ended: str = "2026-01-14T09:00", steps: list[ScheduleStep] = DEFAULT) -> list[str]:
    """Tell when each step leaves in Chicago ("14 19:59"), or why it does not, in step order."""
    laid = lay_out(steps=steps, ended_at=_at(ended), zone=CHICAGO, quiet=DEFAULT_QUIET)
    return [
        one.at.astimezone(CHICAGO).strftime("%d %H:%M") if isinstance(one, Placed) else str(one.reason)
        for one in catch_up(laid, now=_at(now), zone=CHICAGO, quiet=DEFAULT_QUIET)
    ]


def _at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=CHICAGO).astimezone(UTC)


def test_in_time_nothing_changes() -> None:
    assert caught_up("2026-01-14T09:01") == ["14 10:00", "14 13:00", "14 15:00", "15 09:00"]


def test_what_is_late_leaves_now_and_ten_minutes_apart() -> None:
    assert caught_up("2026-01-14T15:30") == ["14 15:30", "14 15:40", "14 15:50", "15 09:00"]


def test_what_is_ahead_waits_only_where_a_late_text_comes_too_close() -> None:
    assert caught_up("2026-01-14T12:55") == ["14 12:55", "14 13:05", "14 15:00", "15 09:00"]
    assert caught_up("2026-01-14T12:45") == ["14 12:45", "14 13:00", "14 15:00", "15 09:00"]


def test_a_late_text_keeps_clear_of_one_that_is_ahead_and_comes_first_in_step_order() -> None:
    steps = [step("first", 240), step("second", 60)]

    assert caught_up("2026-01-14T12:55", steps=steps) == ["14 13:00", "14 13:10"]


def test_late_texts_found_in_quiet_hours_leave_in_the_morning_one_after_the_other() -> None:
    steps = [step("a", 60, expires=1440), step("b", 120, expires=1440), step("c", 180, expires=1440)]

    assert caught_up("2026-01-14T22:00", steps=steps) == ["15 09:00", "15 09:10", "15 09:20"]


def test_late_texts_that_run_into_the_night_go_on_in_the_morning() -> None:
    steps = [step("a", 60, expires=1440), step("b", 120, expires=1440), step("c", 180, expires=1440)]

    assert caught_up("2026-01-14T19:45", steps=steps) == ["14 19:45", "14 19:55", "15 09:00"]


def test_what_has_become_stale_is_dropped_with_its_reason() -> None:
    assert caught_up("2026-01-15T08:00") == ["expired", "expired", "expired", "15 09:00"]
    assert caught_up("2026-01-15T23:59") == ["expired", "expired", "expired", "expired"]


def test_a_late_check_in_leaves_now_whatever_the_advice_does() -> None:
    steps = [step("advice", 60, expires=2880), step("check_in", 1440, kind=CHECK_IN)]

    assert caught_up("2026-01-15T12:00", steps=steps) == ["15 12:00", "15 12:00"]


steps_of_any_kind = st.lists(
    st.tuples(st.sampled_from([ADVICE, CHECK_IN]), st.integers(0, 3000), st.integers(0, 3000)), max_size=6
)


@given(
    steps=steps_of_any_kind,
    ended_after=st.timedeltas(timedelta(0), timedelta(days=7)),
    late=st.timedeltas(timedelta(0), timedelta(days=4)),
)
def test_nothing_is_early_at_night_stale_or_crowded(
    steps: list[tuple[StepKind, int, int]], ended_after: timedelta, late: timedelta
) -> None:
    ended_at = datetime(2026, 3, 5, tzinfo=UTC) + ended_after  # the clock changes on the 8th
    now = ended_at + late
    protocol = [step(f"s{n}", offset, kind=kind, expires=expires) for n, (kind, offset, expires) in enumerate(steps)]
    laid = lay_out(steps=protocol, ended_at=ended_at, zone=CHICAGO, quiet=DEFAULT_QUIET)

    result = catch_up(laid, now=now, zone=CHICAGO, quiet=DEFAULT_QUIET)

    assert [one.key for one in result] == [one.key for one in laid]
    for before, after in zip(laid, result, strict=True):
        if isinstance(before, Dropped):
            assert after == before
        elif isinstance(after, Dropped):
            assert after.reason is DropReason.EXPIRED
        else:
            assert max(before.at, now) <= after.at <= after.expires_at
            assert not is_quiet(at=after.at, zone=CHICAGO, quiet=DEFAULT_QUIET)
            assert after.expires_at == before.expires_at
    advice = [one for one in result if isinstance(one, Placed) and one.kind is ADVICE]
    for number, one in enumerate(advice):
        for other in advice[:number]:
            assert abs(one.at - other.at) >= ADVICE_SPACING or not (one.moved or other.moved)
