"""The schedule around every real change of every zone's clock, against its slow twin and against the promises."""

from datetime import UTC, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.core.quiet_hours import DEFAULT_QUIET, QuietWindow, before_opening_start, is_quiet, next_open
from reminders.core.schedule import Dropped, Placed, ScheduleStep, StepKind, WhenQuiet, lay_out
from tests.core.clock_changes import MINUTE, ClockChange, all_clock_changes, distinct_clock_changes
from tests.core.slow_schedule import LivedDays, slow_lay_out

HOUR = 60 * MINUTE
DAY = 24 * HOUR
HORIZON_DAYS = 7

steps = st.builds(
    ScheduleStep,
    key=st.just("step"),
    kind=st.sampled_from([StepKind.ADVICE, StepKind.ADVICE, StepKind.ADVICE, StepKind.CHECK_IN]),
    offset_minutes=st.integers(0, 2 * 1440) | st.sampled_from([60, 240, 360, 1440]),
    when_quiet=st.sampled_from(WhenQuiet),
    expires_minutes=st.integers(0, 2880) | st.just(720),
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[ClockChange, QuietWindow, datetime, list[ScheduleStep]]:
    """Draw a plan that lies around a change, with quiet hours that often begin or end in the hours it plays with."""
    change = draw(st.sampled_from(distinct_clock_changes()))
    wall = (change.at + change.before).replace(tzinfo=UTC)
    near = st.integers(-200, 200).map(lambda minutes: (wall + minutes * MINUTE).time())
    anywhere = st.integers(0, 1439).map(lambda minutes: time(minutes // 60, minutes % 60))
    quiet = draw(st.builds(QuietWindow, near | anywhere, near | anywhere) | st.just(DEFAULT_QUIET))
    ended_at = change.at + draw(st.integers(-2 * 1440, 600)) * MINUTE
    return change, quiet, ended_at, draw(st.lists(steps, min_size=1, max_size=6))


@settings(max_examples=250, deadline=None)
@given(plans())
def test_the_schedule_agrees_with_a_twin_that_lives_through_the_days(
    plan: tuple[ClockChange, QuietWindow, datetime, list[ScheduleStep]],
) -> None:
    change, quiet, ended_at, its_steps = plan
    zone = ZoneInfo(change.zone)
    days = LivedDays(around=ended_at, days=HORIZON_DAYS, zone=zone, quiet=quiet)

    laid_out = lay_out(steps=its_steps, ended_at=ended_at, zone=zone, quiet=quiet)

    outcomes = [step.at if isinstance(step, Placed) else str(step.reason) for step in laid_out]
    assert outcomes == slow_lay_out(steps=its_steps, ended_at=ended_at, days=days)


@settings(max_examples=500, deadline=None)
@given(plans(), st.integers(0, 59))
def test_never_in_quiet_hours_never_early_never_stale_never_crowded(
    plan: tuple[ClockChange, QuietWindow, datetime, list[ScheduleStep]], seconds: int
) -> None:
    change, quiet, ended_at, its_steps = plan
    ended_at += timedelta(seconds=seconds)
    zone = ZoneInfo(change.zone)

    laid_out = lay_out(steps=its_steps, ended_at=ended_at, zone=zone, quiet=quiet)

    assert len(laid_out) == len(its_steps)
    for step, result in zip(its_steps, laid_out, strict=True):
        assert result.first_due_at == ended_at + step.offset_minutes * MINUTE
        if isinstance(result, Dropped):
            continue
        assert not is_quiet(at=result.at, zone=zone, quiet=quiet)
        assert result.at <= result.expires_at == result.first_due_at + step.expires_minutes * MINUTE
        if step.when_quiet is WhenQuiet.EARLIER:
            assert result.at >= min(result.first_due_at, ended_at + 5 * MINUTE)
        else:
            assert result.at >= result.first_due_at
    advice = [result for result in laid_out if isinstance(result, Placed) and result.kind is StepKind.ADVICE]
    for one, other in combinations(advice, 2):
        if one.moved or other.moved:
            assert abs(one.at - other.at) >= 10 * MINUTE


def test_every_zone_is_left_alone_through_the_nights_its_clock_changes() -> None:
    """From the eve of a change to the day after it, every half hour, in every zone and year: evening is followed by
    09:00 and preceded by 19:59, and the wall clock of an open moment shows an open time."""
    zones = set()
    for change in all_clock_changes():
        if abs(change.after - change.before) > 3 * HOUR:
            continue  # a skipped day has its own tests
        zone = ZoneInfo(change.zone)
        zones.add(change.zone)
        for half_hours in (-47, -30, -20, -10, -4, -1, 0, 1, 4, 10, 20, 30, 47):
            at = change.at + half_hours * 30 * MINUTE
            wall = at.astimezone(zone).time()
            quiet = not time(9) <= wall < time(20)
            assert is_quiet(at=at, zone=zone, quiet=DEFAULT_QUIET) is quiet, (change, at)
            if quiet:
                end = next_open(at=at, zone=zone, quiet=DEFAULT_QUIET)
                before = before_opening_start(at=at, zone=zone, quiet=DEFAULT_QUIET)
                assert (end.astimezone(zone).time(), before.astimezone(zone).time()) == (time(9), time(19, 59))
                assert before < at < end < before + DAY

    assert len(zones) > 300
    assert zones <= available_timezones()


def test_every_zones_next_end_is_found_in_the_hours_that_happen_twice_or_never() -> None:
    """Quiet from six hours before each change to a time in the middle of what it repeats or skips."""
    for change in all_clock_changes():
        zone = ZoneInfo(change.zone)
        amount = abs(change.after - change.before)
        if amount > 3 * HOUR:
            continue
        wall = (change.at + change.before).replace(tzinfo=UTC)
        middle = wall + amount / 2 if change.forward else wall - amount / 2
        quiet = QuietWindow((wall - 6 * HOUR).time(), middle.time())
        end = next_open(at=change.at - 2 * amount, zone=zone, quiet=quiet)

        assert end == (change.at if change.forward else change.at - amount / 2), change
