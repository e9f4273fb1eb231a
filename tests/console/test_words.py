"""How moments, spans and a patient's words are written."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from reminders.clinic.models import PhoneState
from reminders.console.marks import marked
from reminders.console.moments import moment, span
from reminders.console.tones import MESSAGE_STATES, NUMBERS, SEVERITIES
from reminders.console.wording import (
    FLAGS,
    INTENTS,
    KINDS,
    NUMBER_CAUSES,
    NUMBER_STEPS,
    PAUSE_REASONS,
    REASONS,
    SCREENING,
    STATE_REASONS,
    TEXTS,
    say,
)
from reminders.core.advice import SCREENING_FACTS
from reminders.core.carrier_errors import Fault
from reminders.core.states import MessageState, Severity
from reminders.core.texts import TEXTS as CATALOGUE
from reminders.core.understanding import Flag, Intent
from reminders.messaging.models import Kind

AT = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_a_moment_names_its_zone_and_both_one_thirties_differ() -> None:
    first, second = (moment(AT + timedelta(hours=hours), "America/Chicago") for hours in (0, 1))

    assert ">Sun, Nov 1, 1:30 AM CDT</time>" in first
    assert ">Sun, Nov 1, 1:30 AM CST</time>" in second


def test_a_zone_without_letters_is_named_by_its_distance() -> None:
    assert ">Sun, Nov 1, 3:30 AM UTC-03:00</time>" in moment(AT, "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-3, "less than a minute"), (0.9, "less than a minute"), (1, "1 min"), (59, "59 min"), (60, "1 h"),
     (185, "3 h 05 min"), (24 * 60, "1 day"), (50 * 60, "2 days")],
)  # fmt: skip
def test_a_span_is_said_in_its_largest_units(minutes: float, words: str) -> None:
    assert span(timedelta(minutes=minutes)) == words


def test_pieces_that_overlap_become_one_mark() -> None:
    because = [
        {"rule": "b", "text": "lift my", "start": 6, "end": 13},
        {"rule": "a", "text": "hurts lift", "start": 0, "end": 10},
    ]

    assert marked("hurts lift my arm", because) == '<mark title="a, b">hurts lift my</mark> arm'


@given(
    body=st.text(max_size=40),
    spans=st.lists(st.tuples(st.integers(-2, 45), st.integers(-2, 45)), max_size=5),
)
def test_marks_never_change_the_words(body: str, spans: list[tuple[int, int]]) -> None:
    because = [{"rule": "r", "start": start, "end": end} for start, end in spans]

    html = marked(body, because)

    plain = html.replace('<mark title="r">', "").replace("</mark>", "")
    for count in range(2, 6):
        title = ", ".join(["r"] * count)
        plain = plain.replace(f'<mark title="{title}">', "")
    assert plain == escape(body)


def test_every_state_and_fault_has_its_own_words() -> None:
    assert set(MESSAGE_STATES) == set(MessageState)
    assert set(SEVERITIES) == set(Severity)
    assert [fault for fault in Fault if fault not in (*STATE_REASONS, Fault.BACK_OFF)] == []
    failing = set(PhoneState) - {PhoneState.OK}
    assert failing == set(NUMBERS) == set(NUMBER_CAUSES) == set(NUMBER_STEPS)
    assert {Fault.SENDER_FAULT, Fault.ACCOUNT_STOPPED} <= set(PAUSE_REASONS)
    assert [kind for kind in Kind.values if kind not in KINDS] == []
    assert [key for key in CATALOGUE if key not in TEXTS] == []
    assert [fact for fact in SCREENING_FACTS if fact not in SCREENING] == []
    assert [flag for flag in Flag if flag not in FLAGS] == []
    assert [intent for intent in Intent if intent not in INTENTS] == []


def test_a_code_that_nobody_put_into_words_is_still_shown() -> None:
    assert say("left_the_country", REASONS) == "Left the country"
