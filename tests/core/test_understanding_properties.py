"""What holds for any reply, whoever writes it."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reminders.core.understanding import Flag, Intent, read
from tests.core.understanding_cases import Case, cases_of

SIGNS = {
    "I can't breathe": Flag.BREATHING,
    "short of breath": Flag.BREATHING,
    "my chest feels tight": Flag.CHEST_PAIN,
    "it won't stop bleeding": Flag.BLEEDING,
    "the bruise keeps growing": Flag.BLEEDING,
    "I have a fever": Flag.INFECTION,
    "pus is coming out": Flag.INFECTION,
    "my lips are swollen": Flag.ALLERGIC,
    "I have hives": Flag.ALLERGIC,
    "my hand is numb": Flag.NEURO,
    "I can't lift my foot": Flag.NEURO,
    "I passed out": Flag.FAINTING,
    "the pain is unbearable": Flag.SEVERE_PAIN,
    "I want to die": Flag.SELF_HARM,
    "you left a needle in": Flag.OTHER,
    "no puedo respirar": Flag.BREATHING,
    "me duele el pecho": Flag.CHEST_PAIN,
    "no para de sangrar": Flag.BLEEDING,
    "tengo fiebre": Flag.INFECTION,
    "tengo los labios hinchados": Flag.ALLERGIC,
    "tengo la mano dormida": Flag.NEURO,
    "me desmaye": Flag.FAINTING,
    "es insoportable": Flag.SEVERE_PAIN,
    "me quiero morir": Flag.SELF_HARM,
    "llamen una ambulancia": Flag.OTHER,
}
DENIALS = [
    "no fever",
    "no chest pain",
    "I don't have a fever",
    "no numbness or tingling",
    "haven't fainted",
    "not short of breath",
    "no trouble breathing",
    "no hives, no swelling of the lips",
    "without any chest pain",
    "fever? no.",
    "chest pain, chills, numbness: none of that",
    "sin fiebre",
    "no tengo dolor de pecho",
    "ni fiebre ni escalofrios",
    "no me falta el aire",
    "fiebre, escalofrios, hormigueo: nada de eso",
]
# Each sign of the table above as it is denied.
DENIED = [
    "I can breathe fine",
    "not short of breath",
    "my chest doesn't feel tight",
    "no bleeding",
    "the bruise isn't growing",
    "I don't have a fever",
    "no pus is coming out",
    "my lips aren't swollen",
    "I don't have hives",
    "my hand isn't numb",
    "I can lift my foot",
    "I didn't pass out",
    "the pain isn't unbearable",
    "I don't want to die",
    "you didn't leave a needle in",
    "puedo respirar bien",
    "no me duele el pecho",
    "no hay sangrado",
    "no tengo fiebre",
    "no tengo los labios hinchados",
    "no tengo la mano dormida",
    "no me desmaye",
    "no es insoportable",
    "no me quiero morir",
    "no llamen una ambulancia",
]
SHORTEST_MISSPELT = 7
BEFORE = [
    "",
    "Hi, ",
    "Sorry to bother you. ",
    "please help ",
    "Hello there! ",
    "hola, ",
    "disculpe. ",
    "2. ",
    "0, ",
    "1/10 but ",
]
AFTER = ["", " thanks", "!!!", " 😭", ". Have a nice day.", " lol", ", gracias", " :(", " ??", "\nsent from my phone"]
CASES = [str, str.upper, str.title, str.swapcase]

# Two short replies mean what they mean only where nothing else is said.
_ALONE = {"came to with people standing over me", "went to the ER last night"}
TOLD = [
    case
    for case in cases_of("replies.tsv")
    if case.intent == Intent.RED_FLAG and case.flags != "?" and case.score == "-" and len(case.text) < 60
    if case.text not in _ALONE
]

signs = st.sampled_from(sorted(SIGNS))


@settings(deadline=None)
@given(
    sign=signs,
    before=st.sampled_from(BEFORE),
    after=st.sampled_from(AFTER),
    case=st.sampled_from(CASES),
    spaces=st.integers(1, 4),
)
def test_a_sign_is_seen_in_any_case_and_spacing_whatever_stands_around_it(
    sign: str, before: str, after: str, case: type[str], spaces: int
) -> None:
    text = (before + case(sign) + after).replace(" ", " " * spaces)

    reading = read(text)

    assert reading.intent is Intent.RED_FLAG, text
    assert SIGNS[sign] in reading.flags, text


@settings(deadline=None)
@given(sign=signs, number=st.integers(0, 10))
def test_no_number_in_front_hides_a_sign(sign: str, number: int) -> None:
    reading = read(f"{number}, but {sign}")

    assert (reading.intent, reading.score) == (Intent.RED_FLAG, number)


@settings(deadline=None)
@given(sign=signs, other=signs)
def test_two_signs_are_both_seen(sign: str, other: str) -> None:
    assert {SIGNS[sign], SIGNS[other]} <= read(f"{sign}. {other}").flags


@settings(deadline=None)
@given(denial=st.sampled_from(DENIALS), case=st.sampled_from(CASES), after=st.sampled_from(["", ".", " thanks"]))
def test_a_plain_denial_is_no_sign(denial: str, case: type[str], after: str) -> None:
    assert read(case(denial) + after).intent is not Intent.RED_FLAG


@settings(deadline=None)
@given(denial=st.sampled_from(["no fever", "no numbness", "sin fiebre", "no tengo fiebre"]), sign=signs)
def test_what_is_said_after_but_counts(denial: str, sign: str) -> None:
    assert SIGNS[sign] in read(f"{denial} but {sign}").flags
    assert SIGNS[sign] in read(f"{denial} pero {sign}").flags
    assert SIGNS[sign] in read(f"{denial}. {sign}").flags


@settings(deadline=None)
@given(
    person=st.sampled_from(["my husband has a fever", "my dog has a fever", "mi hijo tiene fiebre", "my mom fainted"])
)
def test_another_persons_sign_is_not_the_patients(person: str) -> None:
    assert read(person).intent is Intent.UNCLEAR
    assert read(f"2. {person}").intent is Intent.RESOLVED


@settings(deadline=None)
@given(
    score=st.integers(0, 10),
    dress=st.sampled_from(["{}", "{}/10", "{} out of 10", "a {}", "{}!", "{} de 10", " 0{}", "it's {}"]),
)
def test_a_number_is_the_score_however_it_is_dressed(score: int, dress: str) -> None:
    reading = read(dress.format(score))

    assert reading.score == score
    assert reading.intent is (Intent.PERSISTS if score >= 4 else Intent.RESOLVED)


@settings(deadline=None)
@given(low=st.integers(0, 9))
def test_a_range_is_read_as_its_upper_end(low: int) -> None:
    assert read(f"{low}-{low + 1}").score == low + 1
    assert read(f"{low} to {low + 1}").score == low + 1
    assert read(f"{low} o {low + 1}").score == low + 1


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=300))
@example("\ud83d")
@example("9" * 5000)
@example("no " * 2000)
@example("(" * 500 + "3" + ")" * 500)
@example("1/2/3/4/10/10/10 3-4-5-6 / / 10 .5.5.5")
def test_any_text_is_read_and_its_spans_lie_within_it(text: str) -> None:
    reading = read(text)

    assert reading.score is None or 0 <= reading.score <= 10
    assert bool(reading.flags) == (reading.intent is Intent.RED_FLAG)
    for because in reading.because:
        assert 0 <= because.start < because.end <= len(text)
        assert text[because.start : because.end] == because.text


WORDS = [
    "no", "fever", "not", "but", "7", "3/10", "numb", ",", ".", "?", "my", "dog", "stop", "if", "hurts", "ya", "sin",
    "pecho", "duele",
    "better", "was", "now", "10", "-", "to", "none", "of", "that", "I", "never", "cant", "breathe", "😭",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_any_jumble_of_the_words_that_matter_is_read(words: list[str]) -> None:
    assert read(" ".join(words)) == read(" ".join(words))


@settings(deadline=None, derandomize=True)
@given(
    case=st.sampled_from(TOLD),
    before=st.sampled_from(["", "2. ", "0\n", "1 but ", "please ", "Hi, sorry to bother you. ", "hola, buenos dias. "]),
    letters=st.sampled_from(CASES),
    after=st.sampled_from(["", "!!!", "...", ". Thank you!", ". gracias"]),
    spaces=st.integers(1, 3),
)
def test_every_sign_of_the_table_keeps_its_flags_whatever_stands_around_it(
    case: Case, before: str, letters: type[str], after: str, spaces: int
) -> None:
    text = (before + letters(case.text) + after).replace(" ", " " * spaces)

    assert set(case.flags.split(",")) <= read(text).flags, text


@st.composite
def misspelt_signs(draw: st.DrawFn) -> tuple[str, Flag]:
    """Draw a sign with two letters of one long word swapped, or one of them typed twice."""
    sign = draw(st.sampled_from([each for each in sorted(SIGNS) if _long_words(each)]))
    word = draw(st.sampled_from(_long_words(sign)))
    at = draw(st.integers(1, len(word) - 2))
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    doubled = word[:at] + word[at] + word[at:]
    return sign.replace(word, draw(st.sampled_from([swapped, doubled]))), SIGNS[sign]


def _long_words(sign: str) -> list[str]:
    return [word for word in sign.split() if len(word) >= SHORTEST_MISSPELT and word.isalpha()]


@settings(deadline=None, derandomize=True)
@given(misspelt=misspelt_signs())
def test_a_typing_error_hides_no_sign(misspelt: tuple[str, Flag]) -> None:
    text, flag = misspelt

    assert flag in read(text).flags, text


@settings(deadline=None, derandomize=True)
@given(
    denied=st.sampled_from(DENIED),
    before=st.sampled_from(["", "2. ", "0, ", "Hi, ", "hola, "]),
    after=st.sampled_from(["", ".", "!", " thanks"]),
)
def test_a_sign_that_is_denied_is_gone_for_sure(denied: str, before: str, after: str) -> None:
    reading = read(before + denied + after)

    assert not (reading.intent is Intent.RED_FLAG and reading.sure), denied
