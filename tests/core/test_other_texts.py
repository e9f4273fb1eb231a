"""Texts that are no answer: the words are data, and an answer is never taken for one of them."""

import re
import tomllib
from importlib import resources

import pytest

from reminders.core.other_texts import is_from_machine, says_wrong_number
from reminders.core.understanding import read

WORDS = tomllib.loads(resources.files("reminders.core").joinpath("other_texts.toml").read_text("utf-8"))
PHRASES = [
    (group, part, phrase)
    for group, parts in WORDS.items()
    for part, said in parts.items()
    if part != "why"
    for phrase in said
]


def wrong(text: str, *names: str) -> bool:
    return says_wrong_number(text=text, reading=read(text), names=names)


def test_every_group_says_why_it_is_there_and_no_group_is_unknown() -> None:
    assert set(WORDS) == {"wrong_number", "machine", "busy"}
    for group in WORDS.values():
        assert group["why"].strip()


@pytest.mark.parametrize(("group", "part", "phrase"), PHRASES)
def test_every_phrase_is_written_as_texts_are_compared(group: str, part: str, phrase: str) -> None:
    assert re.fullmatch(r"(?:[a-z0-9]+|\{name\}s?)(?: (?:[a-z0-9]+|\{name\}s?))*", phrase), (group, part)
    assert ("{name}" in phrase) is (part == "names_somebody")


def test_no_phrase_stands_twice() -> None:
    assert len({phrase for _, _, phrase in PHRASES}) == len(PHRASES)


@pytest.mark.parametrize(
    "text",
    ["YOU HAVE THE WRONG NUMBER", "you’ve got the wrong\nperson", "u have the wrong number!!!", "Número   equivocado."],
)
def test_case_accents_and_marks_do_not_matter(text: str) -> None:
    assert wrong(text)


@pytest.mark.parametrize("text", ["I'm not Maria", "im NOT María", "this isn’t maria lol", "No soy maria."])
def test_who_denies_a_name_is_a_stranger_only_where_that_name_is_on_file(text: str) -> None:
    assert wrong(text, "Maria")
    assert not wrong(text, "Joan")
    assert not wrong(text)


@pytest.mark.parametrize("text", ["wrong number, it's a 6", "wrong number lol still really sore", "Im not Maria but 7"])
def test_an_answer_about_soreness_is_never_a_strangers(text: str) -> None:
    assert not wrong(text, "Maria")


@pytest.mark.parametrize("name", ["", "  ", "*", "{name}", "?"])
def test_a_name_of_marks_matches_nothing(name: str) -> None:
    assert not wrong("I'm not feeling great about this", name)


@pytest.mark.parametrize("text", ["I'm driving 5", "auto reply: still 8", "estoy manejando pero me siento mejor"])
def test_an_answer_is_never_a_machines(text: str) -> None:
    assert not is_from_machine(text=text, reading=read(text))
