"""Turns of phrase that a word list alone gets wrong: who is meant, when, in earnest, and how it is spelt."""

import pytest

from reminders.core.understanding import Flag, Intent, read


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("ni pus ni nada feo, calentura nomas, 39", Flag.INFECTION),
        ("como si me pisaran el pecho", Flag.CHEST_PAIN),
        ("el doctor de urgencias dice que es celulitis", Flag.INFECTION),
        ("dice mi esposo que tenia fiebre, temblaba toda la noche", Flag.INFECTION),
        ("lo que si me preocupa es que llego arriba sin aliento", Flag.BREATHING),
        ("me pellizco la pierna y no siento nada", Flag.NEURO),
        ("no: i can't breathe", Flag.BREATHING),
    ],
)
def test_a_sign_is_heard_beside_words_that_deny_ask_or_report(text: str, flag: Flag) -> None:
    assert flag in read(text).flags


@pytest.mark.parametrize(
    "text",
    [
        "0 y la pelicula 'No puedo respirar' estuvo buenisima",
        "1. no: fever, chills, chest pain, trouble breathing",
        "5 y no he tenido fiebre, dolor de pecho, falta de aire ni sangrado",
        "2. pensamientos de hacerme daño no tengo",
        "my chest is sore from bench pressing, neck 2",
        "1, brazo dormido porque el perro se acosto encima, ya volvio",
        "my sister passed a kidney stone, worst pain of her life she says. Mine's a 2",
    ],
)
def test_what_is_a_title_denied_self_caused_or_of_somebody_else_is_no_danger(text: str) -> None:
    assert read(text).intent is not Intent.RED_FLAG


@pytest.mark.parametrize(
    "text", ["Dad can't get his words out", "my wife's mouth is drooping", "mi mamá habla enredado"]
)
def test_a_relative_who_writes_what_others_see_is_believed(text: str) -> None:
    assert read(text).flags == {Flag.NEURO}


def test_a_relatives_own_complaint_is_not_taken_for_the_patients() -> None:
    assert read("my wife has chest pain").intent is Intent.UNCLEAR


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("tengo la kara inchada", Flag.ALLERGIC),
        ("bomite sangre", Flag.BLEEDING),
        ("ya no kiero vibir", Flag.SELF_HARM),
        ("my hnad is num", Flag.NEURO),
        ("hvies evrywhere", Flag.ALLERGIC),
    ],
)
def test_a_sign_is_read_as_it_sounds_and_with_swapped_letters(text: str, flag: Flag) -> None:
    assert flag in read(text).flags


@pytest.mark.parametrize(
    "text", ["altoo", "optt out", "wrong number stop", "how to stop", "ya kitenme de la lista", "STOP w/ the messages"]
)
def test_the_texts_end_for_a_keyword_misspelt_or_beside_words_that_name_nothing_else(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize("text", ["step", "bajo", "jaja", "do i stop", "cancel friday", "soy alto", "foto"])
def test_a_word_of_its_own_does_not_end_the_texts(text: str) -> None:
    assert read(text).intent is not Intent.OPT_OUT


def test_the_texts_come_back_for_who_says_to_have_said_stop() -> None:
    assert read("I said stop last week but turn my texts back on").intent is Intent.OPT_IN


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("de 0 a 10 un 6", 6),
        ("from 1 to 10, 7", 7),
        ("threeish", 3),
        ("cuatro mas o menos. tomo 2 ibuprofenos", 4),
        ("9.5? no, it's a 9", 9),
        ("3, baje de 6", 3),
        ("had hiccups all night, 1", 1),
        ("4 my kid has a fever so no sleep", 4),
        ("0 - I was so scared", 0),
        ("8 out of a possible 10", 8),
        ("I get like 3 a day", None),
        ("corri 10k", None),
    ],
)
def test_the_number_for_now_is_found(text: str, score: int | None) -> None:
    assert read(text).score == score
