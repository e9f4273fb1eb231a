"""How hard a text is to read: our rules beside libraries that look every word up."""

import pytest

from reminders.core.readability import english_grade as our_grade
from reminders.core.readability import english_syllables, reading_level, spanish_syllables
from reminders.core.readability import spanish_ease as our_ease
from tests import readability
from tests.core.test_starter_texts import every_text, with_short_name


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("sore", 1), ("muscle", 2), ("needle", 2), ("treatment", 2), ("movement", 2), ("going", 2), ("moved", 1),
        ("treated", 2), ("gentle", 2), ("ibuprofen", 4), ("don't", 1), ("you're", 1), ("24", 1), ("h", 1),
    ],
)  # fmt: skip
def test_english_syllables(word: str, syllables: int) -> None:
    assert english_syllables(word) == syllables


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("dolor", 2), ("músculo", 3), ("día", 2), ("cuidado", 3), ("que", 1), ("quiere", 2), ("guía", 2), ("agua", 2),
        ("muy", 1), ("y", 1), ("tratamiento", 4), ("ejercicio", 4), ("clínica", 3), ("hoy", 1), ("ayuda", 3), ("24", 1),
    ],
)  # fmt: skip
def test_spanish_syllables(word: str, syllables: int) -> None:
    assert spanish_syllables(word) == syllables


def test_every_text_is_as_hard_as_the_libraries_say() -> None:
    for sent in every_text():
        body = with_short_name(sent).replace("Northside", "Clinic")
        if sent.language == "en":
            assert our_grade(body) == pytest.approx(readability.english_grade(body), abs=1), body
        else:
            assert our_ease(body) == pytest.approx(readability.spanish_ease(body), abs=5), body


def test_what_is_hard_is_said_to_be_hard() -> None:
    easy = reading_level(text="Use a warm pack on the sore spot.", language="en")
    hard = reading_level(
        text="Thermotherapeutic application facilitates physiological regeneration of musculature.", language="en"
    )
    dificil = reading_level(text="La aplicación termoterapéutica facilita la regeneración fisiológica.", language="es")

    assert easy is not None
    assert easy.is_easy
    assert hard is not None
    assert not hard.is_easy
    assert dificil is not None
    assert not dificil.is_easy
    assert reading_level(text=" ... ", language="en") is None
