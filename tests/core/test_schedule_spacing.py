"""Room between advice texts: who waits for whom, and what becomes of a text that has to wait."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from reminders.core.quiet_hours import DEFAULT_QUIET
from reminders.core.schedule import Placed, ScheduleStep, StepKind, WhenQuiet, lay_out

CHICAGO = ZoneInfo("America/Chicago")
LATER, EARLIER, SKIP = WhenQuiet.LATER, WhenQuiet.EARLIER, WhenQuiet.SKIP


def advice(key: str, offset: int, when_quiet: WhenQuiet = LATER, expires: int = 1440) -> ScheduleStep:
    return ScheduleStep(key, StepKind.ADVICE, offset, when_quiet, expires)


def check_in(offset: int) -> ScheduleStep:
    return ScheduleStep("check_in", StepKind.CHECK_IN, offset, LATER, 1440)


def times(steps: Sequence[ScheduleStep], ended: str = "2026-01-14T18:00-06:00") -> list[str]:
    """Tell when each step leaves on 14 or 15 January in Chicago ("14 19:59"), or why it does not, in step order."""
    laid_out = lay_out(steps=steps, ended_at=datetime.fromisoformat(ended), zone=CHICAGO, quiet=DEFAULT_QUIET)
    return [
        step.at.astimezone(CHICAGO).strftime("%d %H:%M") if isinstance(step, Placed) else step.reason
        for step in laid_out
    ]


def test_three_that_land_on_9_leave_at_9_9_10_and_9_20() -> None:
    assert times([advice("a", 180), advice("b", 240), advice("c", 600)]) == ["15 09:00", "15 09:10", "15 09:20"]


def test_step_order_decides_not_which_was_due_first() -> None:
    assert times([advice("c", 600), advice("a", 180), advice("b", 240)]) == ["15 09:00", "15 09:10", "15 09:20"]


@pytest.mark.parametrize(
    ("due_after_9", "expected"),
    [
        (0, ["15 09:00", "15 09:10"]),
        (5, ["15 09:00", "15 09:10"]),  # the second was not moved itself, but the first was moved close to it
        (9, ["15 09:00", "15 09:10"]),
        (10, ["15 09:00", "15 09:10"]),  # ten minutes apart already
        (11, ["15 09:00", "15 09:11"]),
    ],
)
def test_a_text_waits_for_one_that_was_moved_close_before_it(due_after_9: int, expected: list[str]) -> None:
    assert times([advice("moved", 180), advice("on time", 900 + due_after_9)]) == expected


@pytest.mark.parametrize(
    ("due_after_9", "expected"),
    [
        (0, ["15 09:00", "15 09:10"]),
        (5, ["15 09:05", "15 09:15"]),  # the later step landed first and waits all the same
        (9, ["15 09:09", "15 09:19"]),
        (10, ["15 09:10", "15 09:00"]),  # far enough apart: both keep their times
        (60, ["15 10:00", "15 09:00"]),
    ],
)
def test_a_later_step_that_is_moved_close_before_an_earlier_one_waits_for_it(
    due_after_9: int, expected: list[str]
) -> None:
    assert times([advice("on time", 900 + due_after_9), advice("moved", 180)]) == expected


def test_texts_due_close_together_at_their_own_times_stay_so() -> None:
    assert times([advice("a", 30), advice("b", 33), advice("c", 30)]) == ["14 18:30", "14 18:33", "14 18:30"]


def test_a_pushed_text_counts_as_moved_and_pushes_on() -> None:
    # 09:00 pushes 09:05 to 09:10, which then is too close to the step due at 09:12.
    steps = [advice("moved", 180), advice("due 9:05", 905), advice("due 9:12", 912)]

    assert times(steps) == ["15 09:00", "15 09:10", "15 09:20"]


def test_a_pushed_text_waits_for_every_earlier_step_in_its_way() -> None:
    steps = [advice("due 9:12", 912), advice("moved", 180), advice("moved too", 200)]

    assert times(steps) == ["15 09:12", "15 09:00", "15 09:22"]


def test_a_gap_that_is_wide_enough_is_used() -> None:
    steps = [advice("due 9:20", 920), advice("moved", 180), advice("moved too", 200), advice("moved as well", 220)]

    assert times(steps) == ["15 09:20", "15 09:00", "15 09:10", "15 09:30"]


def test_check_ins_neither_wait_nor_are_waited_for() -> None:
    assert times([advice("a", 180), check_in(200), advice("b", 240)]) == ["15 09:00", "15 09:00", "15 09:10"]
    assert times([check_in(200), advice("a", 180)]) == ["15 09:00", "15 09:00"]


def test_a_text_pushed_past_its_expiry_is_dropped_and_holds_no_place() -> None:
    # The second is due at 21:00 and expires at 09:05; the third takes the place that it could not.
    steps = [advice("a", 180), advice("b", 180, LATER, 725), advice("c", 180)]

    assert times(steps) == ["15 09:00", "expired", "15 09:10"]


def test_a_text_pushed_exactly_to_its_expiry_is_kept() -> None:
    assert times([advice("a", 180), advice("b", 180, LATER, 730)]) == ["15 09:00", "15 09:10"]


def test_a_skipped_or_expired_step_holds_no_place() -> None:
    steps = [advice("a", 180, SKIP), advice("b", 180, LATER, 60), advice("c", 180)]

    assert times(steps) == ["quiet_hours", "expired", "15 09:00"]


def test_two_that_land_on_19_59_cannot_both_leave_that_evening() -> None:
    # Ten minutes after 19:59 is quiet: the second moves on to the next end, and makes room there too.
    steps = [advice("a", 180, EARLIER), advice("b", 240, EARLIER), advice("c", 300)]

    assert times(steps) == ["14 19:59", "15 09:00", "15 09:10"]


def test_a_text_pushed_into_quiet_hours_and_so_past_its_expiry_is_dropped() -> None:
    assert times([advice("a", 180, EARLIER), advice("b", 240, EARLIER, 60)]) == ["14 19:59", "expired"]


def test_a_skip_step_that_is_pushed_into_quiet_hours_is_dropped() -> None:
    assert times([advice("a", 180, EARLIER), advice("b", 115, SKIP)]) == ["14 19:59", "quiet_hours"]


def test_seventy_texts_that_land_on_9_fill_the_day_and_go_on_the_next_morning() -> None:
    crowd = times([advice(str(n), 180, LATER, 5000) for n in range(70)])

    assert crowd[:2] == ["15 09:00", "15 09:10"]
    assert crowd[65] == "15 19:50"
    assert crowd[66:] == ["16 09:00", "16 09:10", "16 09:20", "16 09:30"]
