"""A generous bound, so that a slow rule is noticed; the figure itself comes from `benchmarks/understand.py`."""

import time

from reminders.core.understanding import read
from tests.core.understanding_cases import cases_of

GENEROUS_MS_PER_REPLY = 5.0


def test_a_reply_is_read_in_a_few_milliseconds_at_most() -> None:
    replies = [case.text for case in cases_of("replies.tsv")]
    read("warm up")

    started = time.process_time()
    for reply in replies:
        read(reply)

    assert (time.process_time() - started) * 1000 / len(replies) < GENEROUS_MS_PER_REPLY


def test_a_text_made_to_be_slow_is_not_slow() -> None:
    read("warm up")

    started = time.process_time()
    for hard in (
        "no fever, " * 1000,
        "my arm is really so very " * 500,
        "hurts " * 2000,
        "7 to 8 or " * 1000,
        "a" * 10_000,
    ):
        read(hard)

    assert time.process_time() - started < 20
