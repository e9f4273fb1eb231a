"""Which failures deserve one more attempt, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from reminders.core.carrier_errors import FAULT_OF, Fault
from reminders.core.second_attempts import AFTER, DAILY, second_attempt_at, waits_for_its_sender

FAILED_AT = datetime(2026, 5, 13, 17, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WORTH_IT = {Fault.UNREACHABLE, Fault.SENDER_FAULT}


@pytest.mark.parametrize(
    ("code", "after"),
    [
        (30003, 2 * HOUR),
        (30008, 30 * MINUTE),
        (30017, 15 * MINUTE),
        (30022, HOUR),
        (30001, 10 * MINUTE),
        (30410, HOUR),
        (30450, HOUR),
        (30034, MINUTE),
        (30023, 14 * HOUR + 10 * MINUTE),  # 10:00 in Los Angeles: ten past midnight there
        (30005, None),
        (30006, None),
        (30007, None),
        (30004, None),
        (21610, None),
        (12345, None),
        (None, None),
    ],
)
def test_the_table(code: int | None, after: timedelta | None) -> None:
    at = second_attempt_at(code=code, failed_at=FAILED_AT, is_urgent=False)

    assert at == (None if after is None else FAILED_AT + after)


@pytest.mark.parametrize("code", sorted(FAULT_OF))
def test_where_somebody_may_be_in_danger_it_is_soon_or_not_at_all(code: int) -> None:
    usual = second_attempt_at(code=code, failed_at=FAILED_AT, is_urgent=False)
    urgent = second_attempt_at(code=code, failed_at=FAILED_AT, is_urgent=True)

    assert urgent == (None if usual is None else FAILED_AT + MINUTE)


@pytest.mark.parametrize("code", sorted(FAULT_OF))
def test_only_what_may_pass_is_tried_again(code: int) -> None:
    tried_again = second_attempt_at(code=code, failed_at=FAILED_AT, is_urgent=False) is not None

    assert tried_again == (FAULT_OF[code] in WORTH_IT)
    assert waits_for_its_sender(code) == (FAULT_OF[code] is Fault.SENDER_FAULT)


def test_a_daily_allowance_begins_at_midnight_over_a_clock_change() -> None:
    eve_of_spring = datetime(2027, 3, 13, 20, 0, tzinfo=UTC)
    eve_of_autumn = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)

    for code in DAILY:
        spring = second_attempt_at(code=code, failed_at=eve_of_spring, is_urgent=False)
        autumn = second_attempt_at(code=code, failed_at=eve_of_autumn, is_urgent=False)
        assert spring == datetime(2027, 3, 14, 8, 10, tzinfo=UTC)
        assert autumn == datetime(2026, 11, 1, 7, 10, tzinfo=UTC)
    assert not DAILY & AFTER.keys()
