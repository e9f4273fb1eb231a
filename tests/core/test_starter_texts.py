"""The starter texts as patients and staff get them: every text, every language, every choice, every flag."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from reminders.core.rendering import TemplateError, compile_text, render
from reminders.core.segments import Encoding, count_segments
from reminders.core.text_variables import LANGUAGES, VARIABLES
from reminders.core.texts import TEXTS, Audience, Medium, check_text, sample_values
from tests.readability import english_grade, spanish_ease

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "templates" / "messages"

HEAT = re.compile(r"\b(warm|heat|calor|caliente|tibi[oa])\b", re.I)
EXERCISE = re.compile(r"\b(move|movement|exercise|stretch|workout|mueva|ejercicio|estire)\b", re.I)
DRUG = re.compile(
    r"\b(ibuprofen|ibuprofeno|acetaminophen|acetaminof[eé]n|naproxen\w*|aspirin\w*|advil|tylenol)\b", re.I
)
PILL = re.compile(r"\b(pills?|medicines?|pastillas?|medicinas?)\b", re.I)
DOSE = re.compile(r"\b\d+\s?(mg|g|ml|pills?|tablets?|pastillas?)\b|\bevery \d|\bcada \d", re.I)
# What the carrier or the law takes for a command; asked for as an answer it would switch the texts off or on.
COMMAND_ASKED = re.compile(
    r"\b(?:reply|answer|text|send|responda|conteste|mande|escriba)\s+(?:with\s+|con\s+)?[\"']?"
    r"(yes|no|end|cancel|quit|start|info|revoke|s[ií]|alto|parar|baja|cancelar)\b",
    re.I,
)


@dataclass(frozen=True)
class Sent:
    """One body as it leaves, with the values that made it."""

    key: str
    language: str
    body: str
    values: dict[str, object]

    def __str__(self) -> str:
        return f"{self.language}/{self.key}: {self.body!r}"


@cache
def every_text() -> tuple[Sent, ...]:
    """Every body that the starter texts can become with realistic values."""
    return tuple(_every_text())


def _every_text() -> Iterator[Sent]:
    for language in LANGUAGES:
        for key in TEXTS:
            compiled = compile_text(source(key, language))
            for values in sample_values(compiled.variables, language=language):
                yield Sent(key, language, render(compiled, values=values), values)


def source(key: str, language: str) -> str:
    """The words as the repository ships them."""
    return (FOLDER / language / f"{key}.j2").read_text("utf-8")


def texts(**wanted: object) -> list[Sent]:
    """The bodies that these values can make; a text that does not ask for a value is not among them."""
    return [sent for sent in every_text() if all(sent.values.get(name) == value for name, value in wanted.items())]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_catalogue_has_its_file_and_no_file_is_left_over(language: str) -> None:
    assert {path.stem for path in (FOLDER / language).glob("*")} == set(TEXTS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", TEXTS)
def test_every_text_passes_the_checks_that_publishing_makes(key: str, language: str) -> None:
    assert check_text(key=key, language=language, source=source(key, language)).source


def test_every_english_sms_is_one_plain_part() -> None:
    for sent in every_text():
        if sent.language == "en" and TEXTS[sent.key].medium is Medium.SMS:
            assert (count_segments(sent.body).encoding, count_segments(sent.body).segments) == (Encoding.GSM_7, 1), sent


def test_every_spanish_sms_is_plain_and_at_most_two_parts() -> None:
    for sent in every_text():
        if sent.language == "es" and TEXTS[sent.key].medium is Medium.SMS:
            assert count_segments(sent.body).encoding is Encoding.GSM_7, sent
            assert count_segments(sent.body).segments <= 2, sent


def test_every_english_text_needs_no_more_than_six_grades_of_school() -> None:
    for sent in every_text():
        if sent.language == "en":
            assert english_grade(with_short_name(sent)) <= 6, sent


def test_every_spanish_text_needs_no_more_than_six_grades_of_school() -> None:
    for sent in every_text():
        if sent.language == "es":
            assert spanish_ease(with_short_name(sent)) >= 70, sent


def with_short_name(sent: Sent) -> str:
    """The words that are ours: a clinic's own name is as hard as it is."""
    return sent.body.replace(str(VARIABLES["clinic_name"].examples[sent.language]), "Northside")


def test_a_first_text_names_the_clinic_says_stop_and_what_it_is() -> None:
    firsts = texts(is_first=True)

    assert {sent.key for sent in firsts} == {key for key, text in TEXTS.items() if text.planned}
    for sent in firsts:
        assert "Northside Physio & Rehab" in sent.body, sent
        assert re.search(r"(Reply|Text|Responda) STOP", sent.body), sent
        assert re.search(r"automat", sent.body, re.I), sent
        assert "911" in sent.body, sent


def test_every_planned_text_names_the_clinic() -> None:
    for sent in every_text():
        if TEXTS[sent.key].planned:
            assert "Northside Physio & Rehab" in sent.body, sent


def test_every_question_asks_for_a_number_and_says_where_emergencies_go() -> None:
    for sent in every_text():
        if sent.key in ("check_in", "nudge", "recheck", "ask_number_again"):
            assert re.search(r"\b0\b.*\b10\b", sent.body), sent
            assert "911" in sent.body, sent


def test_the_check_in_says_that_it_is_automated() -> None:
    for sent in every_text():
        if sent.key == "check_in":
            assert re.search(r"automat", sent.body, re.I), sent


def test_the_follow_up_asks_for_numbers_that_no_soreness_has() -> None:
    for sent in every_text():
        if sent.key == "told_your_pt_follow_up":
            asked = re.search(r"(?:Reply|Responda) (.*?[.])", sent.body)
            assert asked is not None, sent
            assert [int(number) for number in re.findall(r"\d+", asked[1])] == [11, 12, 13], sent


def test_no_text_asks_for_a_word_that_is_a_command() -> None:
    for sent in every_text():
        assert not COMMAND_ASKED.search(sent.body), sent


def test_heat_is_suggested_only_where_it_is_open() -> None:
    for sent in texts(heat_ok=True):
        assert HEAT.search(sent.body), sent
        assert re.search(r"\b[Nn]ot?\b.*\b(numb|adormecida)\b", sent.body), sent
    for sent in texts(heat_ok=False):
        assert re.search(r"do not use heat|no use calor", sent.body), sent


def test_a_medicine_is_named_only_where_the_screening_leaves_it_open() -> None:
    named = {drug: {found.lower() for sent in texts(drug=drug) for found in DRUG.findall(sent.body)} for drug in DRUGS}

    assert named["none"] == set()
    assert named["acetaminophen"] == {"acetaminophen", "acetaminofén"}
    assert named["any"] == {"ibuprofen", "acetaminophen", "ibuprofeno", "acetaminofén"}


DRUGS = VARIABLES["drug"].choices


def test_a_named_medicine_comes_with_the_label_and_a_caution() -> None:
    for sent in every_text():
        if DRUG.search(sent.body):
            assert sent.key == "advice_otc", sent
            assert re.search(r"label|etiqueta", sent.body), sent
            assert re.search(r"safe for you|seguro para usted", sent.body), sent


def test_where_no_medicine_is_named_the_patient_is_sent_to_someone_who_knows() -> None:
    for sent in texts(drug="none"):
        assert re.search(r"pharmacist|farmacia", sent.body), sent


def test_no_text_gives_a_dose() -> None:
    for sent in every_text():
        assert not DOSE.search(sent.body), sent


def test_each_technique_has_a_line_of_its_own() -> None:
    def advice(sent: Sent) -> tuple[str, str, str]:
        return sent.language, str(sent.values["is_first"]), sent.body

    bodies = sorted(advice(sent) for sent in every_text() if sent.key == "advice_exercise")
    for _, group in groupby(bodies, key=lambda row: row[:2]):
        assert len({body for *_, body in group}) == 3


def test_a_danger_sign_is_never_answered_with_heat_exercise_or_pills() -> None:
    for key in ("emergency", "emergency_self_harm", "urgent_call_you", "ladder_exhausted_patient"):
        for sent in (sent for sent in every_text() if sent.key == key):
            for advice in (HEAT, EXERCISE, DRUG, PILL):
                assert not advice.search(sent.body), sent


def test_an_emergency_answer_names_the_number_to_call_first() -> None:
    for sent in every_text():
        if sent.key == "emergency":
            assert re.match(r"(Call|Llame al) 911", sent.body), sent
        if sent.key == "emergency_self_harm":
            assert sent.body.index("988") < sent.body.index("911"), sent


def test_no_text_promises_when_somebody_calls() -> None:
    for sent in every_text():
        if sent.key in ("urgent_call_you", "clinician_acknowledged", "told_your_pt", "emergency"):
            assert not re.search(
                r"\b(minutes?|hours?|soon|today|tomorrow|minutos?|horas?|pronto|hoy|mañana)\b", sent.body
            )


def test_the_help_answer_has_every_part_that_carriers_ask_for() -> None:
    for sent in every_text():
        if sent.key == "help":
            for part in ("Northside Physio & Rehab", "(312) 555-0142", "STOP"):
                assert part in sent.body, sent
            assert re.search(r"about 6 per visit|unos 6 por visita", sent.body), sent
            assert re.search(r"Msg & data rates may apply|tarifas de mensajes y datos", sent.body), sent


def test_the_opt_in_confirmation_has_every_part_that_carriers_ask_for() -> None:
    for sent in every_text():
        if sent.key == "opt_in_confirmed":
            for part in ("Northside Physio & Rehab", "HELP", "STOP"):
                assert part in sent.body, sent
            assert re.search(r"about 6 per visit|unos 6 por visita", sent.body), sent
            assert re.search(r"Msg & data rates may apply|tarifas de mensajes y datos", sent.body), sent


def test_the_words_of_consent_have_every_part_that_carriers_and_privacy_ask_for() -> None:
    said = [sent for sent in every_text() if sent.key == "consent_disclosure"]
    assert {sent.language for sent in said} == set(LANGUAGES)
    for sent in said:
        for part in ("Northside Physio & Rehab", "HELP", "STOP"):
            assert part in sent.body, sent
        for part in (
            r"automated|automáticos",
            r"About 6 texts per visit|Unos 6 mensajes por visita",
            r"Msg & data rates may apply|tarifas de mensajes y datos",
            r"not encrypted|no van cifrados",
            r"not a condition of my care|no es condición para mi tratamiento",
        ):
            assert re.search(part, sent.body), (part, sent)


def test_the_opt_out_confirmation_names_the_clinic_and_says_that_it_is_the_end() -> None:
    for sent in every_text():
        if sent.key == "opt_out_confirmed":
            assert "Northside Physio & Rehab" in sent.body, sent
            assert re.search(r"no more messages|No le vamos a enviar otros", sent.body), sent


def test_staff_and_strangers_get_nothing_about_a_patient() -> None:
    for text in TEXTS.values():
        if text.audience is not Audience.PATIENT:
            private = {"first_name", "clinician_title", "technique", "heat_ok", "drug", "is_first"}
            assert text.variables.isdisjoint(private), text.key


def test_no_starter_text_uses_the_patients_name() -> None:
    for language in LANGUAGES:
        for key in TEXTS:
            assert "first_name" not in compile_text(source(key, language)).variables


@pytest.mark.parametrize(
    ("key", "wrong", "code"),
    [
        ("greeting", "Hello", "unknown_text"),
        ("emergency", "{% if drug == 'any' %}a{% endif %} 911", "variable_not_here"),
        ("staff_notice", "{{ first_name }} is worse", "variable_not_here"),
        ("emergency", "Please call us at {{ clinic_phone }}", "must_say"),
        ("emergency_self_harm", "Call 911", "must_say"),
        ("help", "Call {{ clinic_phone }}. Reply STOP to end.", "must_say"),
        ("advice_heat", "{{ clinic_name }}: try a warm pack", "must_say"),
        ("advice_heat", "{% if is_first %}{{ clinic_name }}{% endif %} hi", "must_say"),
        ("advice_heat", "{% if heat_ok %}{{ clinic_name }} STOP{% endif %} hi", "must_say"),
        ("check_in", "{% if heat_ok %}{{ clinic_name }} STOP{% endif %}", "empty"),
        ("consent_disclosure", "{{ clinic_name }} texts. HELP, STOP. Data rates may apply. Not encrypted.", "must_say"),
    ],
)
def test_a_text_that_a_clinic_spoils_is_not_published(key: str, wrong: str, code: str) -> None:
    with pytest.raises(TemplateError) as caught:
        check_text(key=key, language="en", source=wrong)

    assert caught.value.code == code


def test_a_text_may_leave_out_the_first_words_where_it_is_not_the_first() -> None:
    wording = "{% if is_first %}{{ clinic_name }}. Reply STOP to end. {% endif %}Move gently."

    assert check_text(key="advice_exercise", language="en", source=wording).variables == {"is_first", "clinic_name"}
