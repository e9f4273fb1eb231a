"""The page for authors says what the code does."""

import re

from reminders.core.text_checks import FILTERS
from tests.texts_page import PAGE, page_with_tables


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text("utf-8")

    assert page == page_with_tables(page), "run `python -m tests.texts_page` and look at what changed"


def test_the_page_names_every_filter() -> None:
    assert set(re.findall(r"`\|(\w+)`", PAGE.read_text("utf-8"))) == set(FILTERS)
