"""Medicine, heat and doses in a text: found whatever the author tagged, let through only where they are guarded."""

from dataclasses import replace
from importlib import resources
from itertools import product

import pytest

from reminders.core import advice_lint
from reminders.core.advice import RULES, DrugAdvice, Rule, Topic
from reminders.core.advice_lint import AdviceWordsError, Group, Rendering, find_hazards, parse_words
from reminders.core.rendering import TemplateError, compile_text
from reminders.core.text_variables import LANGUAGES
from reminders.core.texts import TEXTS, advice_hazards, check_text
from tests.core.test_starter_texts import source

WORDS = resources.files("reminders.core").joinpath("advice_words.toml").read_text("utf-8")
GROUPS = parse_words(WORDS)
KNOWS = frozenset({"drug", "heat_ok", "is_first"})


def words_found(text: str, *, key: str = "advice_otc") -> list[tuple[str, str]]:
    """What the lint finds: the code and the word."""
    hazards = advice_hazards(key=key, language="en", compiled=compile_text(text))
    return [(hazard.code, hazard.word) for hazard in hazards]


def unguarded(*words: str) -> list[tuple[str, str]]:
    return [("unguarded_advice", word) for word in words]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Take ibuprofen.", "ibuprofen"),
        ("Take ADVIL", "advil"),
        ("Motrin or rest", "motrin"),
        ("Try Aleve", "aleve"),
        ("An aspirin helps", "aspirin"),
        ("Rub in Voltaren", "voltaren"),
        ("Excedrin?", "excedrin"),
        ("an anti-inflammatory may help", "anti inflammatory"),
        ("any NSAID", "nsaid"),
        ("Tome ibuprofeno", "ibuprofeno"),
        ("UNA ASPIRINA AYUDA", "aspirina"),
        ("un antiinflamatorio", "antiinflamatorio"),
        ("Tylenol can help", "tylenol"),
        ("paracetamol", "paracetamol"),
        ("acetaminofe\u0301n", "acetaminofen"),
        ("acetaminofén", "acetaminofen"),
        ("Take a pain reliever", "pain reliever"),
        ("Tome una pastilla para el dolor", "pastilla para el dolor"),
        ("a muscle relaxer", "muscle relaxer"),
        ("ibu\u00adprofen", "ibuprofen"),
        ("{{ 'Advil' | upper }}", "advil"),
        ("Ad{% if drug == 'none' %}vil{% endif %}", "advil"),
        ("Use a heating pad", "heating pad"),
        ("Take a hot bath", "hot bath"),
        ("a hot or cold pack", "hot or cold pack"),
        ("A warm, wet towel helps", "warm , wet towel"),
        ("Go to the sauna", "sauna"),
        ("Keep it warm", "keep it warm"),
        ("Póngase una compresa caliente", "compresa caliente"),
        ("bolsa de agua caliente", "bolsa de agua caliente"),
        ("Aplique calor", "calor"),
        ("Un baño tibio", "bano tibio"),
    ],
)
def test_a_word_is_found_that_nobody_tagged(text: str, word: str) -> None:
    assert ("unguarded_advice", word) in words_found(text)


@pytest.mark.parametrize(
    "text",
    [
        "{% if drug == 'any' %}Ibuprofen may help.{% else %}Ask us.{% endif %}",
        "{% if drug in ('any', 'acetaminophen') %}Tylenol may help.{% else %}Ask us.{% endif %}",
        "{% if drug != 'none' %}Tylenol may help.{% else %}Ask us.{% endif %}",
        "{% if drug == 'none' %}Ask us.{% elif drug == 'acetaminophen' %}Tylenol.{% else %}Advil.{% endif %}",
        "{% if heat_ok and drug == 'any' %}Sauna, then Advil.{% else %}Rest.{% endif %}",
        "{% if not heat_ok %}Rest.{% else %}A warm pack helps.{% endif %}",
        "Please do not use heat for now.",
        "Do not take aspirin or Aleve.",
        "Avoid saunas and hot baths.",
        "No use calor.",
        "Por ahora no se ponga calor ni compresas calientes.",
        "Ask us or your pharmacist before you take any pain pill.",
        "Antes de tomar una pastilla para el dolor, llame.",
        "Warm up gently, then move every 2 hours, 3 times a day.",
        "Call us if the skin is red, hot or swollen.",
        "La piel roja o caliente es mala señal.",
    ],
)
def test_guarded_words_and_warnings_pass(text: str) -> None:
    assert words_found(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{% if drug == 'any' %}Rest.{% else %}Ibuprofen helps.{% endif %}", unguarded("ibuprofen")),
        ("{% if drug != 'none' %}Ibuprofen helps.{% else %}Rest.{% endif %}", unguarded("ibuprofen")),
        ("{% if drug == 'any' %}Advil.{% endif %} Tylenol.", unguarded("tylenol")),
        ("{% if drug == 'any' or is_first %}Advil.{% else %}Rest.{% endif %}", unguarded("advil")),
        ("{% if heat_ok %}Advil.{% else %}Rest.{% endif %}", unguarded("advil")),
        ("{% if drug == 'any' %}Sauna.{% else %}Rest.{% endif %}", unguarded("sauna")),
        ("{% if drug == 'any' %}Tramadol.{% else %}Rest.{% endif %}", unguarded("tramadol")),
        ("Do not worry, take Advil.", unguarded("advil")),
        ("No aspirin, Advil is fine.", unguarded("advil")),
        ("No, Advil is fine.", unguarded("advil")),
        ("Do not avoid heat.", unguarded("heat")),
        ("Do not wait to use heat.", unguarded("heat")),
        ("No use hielo. Use calor.", unguarded("calor")),
        ("Ask your doctor. Before you take it: Advil.", unguarded("advil")),
        ("Ask us before you take Advil.", unguarded("advil")),
    ],
)
def test_a_guard_counts_only_where_it_guards(text: str, found: list[tuple[str, str]]) -> None:
    assert words_found(text) == found


@pytest.mark.parametrize(
    ("text", "dose"),
    [
        ("200mg", "200 mg"),
        ("4,000 mg", "4,000 mg"),
        ("2 tablets", "2 tablets"),
        ("one or two small pills", "one or two small pills"),
        ("dos pastillas", "dos pastillas"),
        ("Your pills: every 6 hours", "every 6 hours"),
        ("Your pills: every four to six hours", "every four to six hours"),
        ("Sus pastillas: cada 8 horas", "cada 8 horas"),
        ("Medicine twice a day", "twice a day"),
        ("Medicina 3 veces al día", "3 veces al dia"),
    ],
)
def test_a_dose_is_refused_even_where_the_medicine_may_be_named(text: str, dose: str) -> None:
    guarded = f"{{% if drug == 'any' %}}Take {text}.{{% else %}}Rest.{{% endif %}}"

    assert ("dose", dose) in words_found(guarded)


def test_the_author_is_told_who_would_be_harmed_and_what_to_write() -> None:
    hazard = find_hazards([Rendering("Take Advil", heat_ok=None, drug="acetaminophen")], knows=KNOWS)[0]

    assert hazard.message == (
        "This would tell patients with a bleeding disorder, allergic to aspirin or another NSAID, with a stomach ulcer"
        " or with kidney disease to take “advil”. Put those words inside {% if drug == 'any' %} … {% endif %}."
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_everyone_whom_a_rule_excludes_is_named(rule: Rule) -> None:
    word = "sauna" if rule.topic is Topic.HEAT else "advil"

    assert rule.who in find_hazards([Rendering(word, heat_ok=None, drug=None)], knows=KNOWS)[0].message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_without_a_rule_its_patients_are_not_named(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    renderings = [Rendering("sauna and advil", heat_ok=None, drug=None)]
    before = find_hazards(renderings, knows=KNOWS)

    monkeypatch.setattr(advice_lint, "RULES", tuple(other for other in RULES if other is not rule))

    assert find_hazards(renderings, knows=KNOWS) != before


def test_a_text_that_cannot_ask_has_to_leave_the_words_out() -> None:
    hazard = advice_hazards(key="emergency", language="en", compiled=compile_text("Call 911. Try a warm pack."))[0]

    assert "Take it out: this text leaves without asking the screening." in hazard.message


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", TEXTS)
def test_every_starter_text_passes(key: str, language: str) -> None:
    assert advice_hazards(key=key, language=language, compiled=compile_text(source(key, language))) == ()


def test_the_check_before_publishing_refuses_them() -> None:
    opening = "{{ clinic_name }}, reply STOP to end. "
    for text, code in ((opening + "Take Advil.", "unguarded_advice"), (opening + "Take 2 tablets.", "dose")):
        with pytest.raises(TemplateError) as caught:
            check_text(key="advice_otc", language="en", source=text)

        assert caught.value.code == code


def is_found(phrase: str, groups: tuple[Group, ...]) -> bool:
    return bool(find_hazards([Rendering(phrase, heat_ok=None, drug=None)], knows=KNOWS, groups=groups))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_word_of_a_group_is_found_and_without_the_group_is_not(group: Group) -> None:
    rest = tuple(other for other in GROUPS if other is not group)
    phrases = [" ".join(phrase) for phrase in group.phrases]
    pairs = [" ".join(pair) for first, second in group.pairs for pair in product(first, second)]

    assert [phrase for phrase in (*phrases, *pairs) if not is_found(phrase, GROUPS)] == []
    assert any(not is_found(phrase, rest) for phrase in phrases)


@pytest.mark.parametrize("number", range(len(next(group for group in GROUPS if group.name == "heat").pairs)))
def test_without_any_one_set_of_pairs_some_heat_is_not_found(number: int) -> None:
    heat = next(group for group in GROUPS if group.name == "heat")
    first, second = heat.pairs[number]
    without = replace(heat, pairs=tuple(pair for place, pair in enumerate(heat.pairs) if place != number))
    rest = (without, *(group for group in GROUPS if group is not heat))

    assert any(not is_found(" ".join(pair), rest) for pair in product(first, second))


@pytest.mark.parametrize(
    ("group", "needs"),
    [
        ("nsaid", DrugAdvice.ANY.value),
        ("acetaminophen", DrugAdvice.ACETAMINOPHEN.value),
        ("pain_medicine", DrugAdvice.ACETAMINOPHEN.value),
        ("other_medicine", advice_lint.NEVER),
        ("heat", advice_lint.HEAT_OK),
    ],
)
def test_each_group_needs_its_guard(group: str, needs: str) -> None:
    assert {known.name: known.needs for known in GROUPS}[group] == needs


GOOD = '[x]\nneeds = "any"\ntells = "to take"\nwhy = "because"\nen = ["Advil"]\nes = ["aspirina"]\n'


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("[x", "no TOML file"),
        ("x = 1", "x: a group is a table"),
        (GOOD + "more = 1", "x: a group is a table"),
        (GOOD.replace('"any"', '"all"'), "x: let needs be one of"),
        (GOOD.replace('"because"', '" "'), "x: write why"),
        (GOOD.replace('["Advil"]', "[]"), "x: give en"),
        (GOOD.replace('["Advil"]', '["Advil", "ADVIL"]'), "x: en holds a word twice"),
        (GOOD.replace('"Advil"', '"."'), "x: en holds a word twice, an empty one"),
        (GOOD + 'may_ask_first = "no"', "x: let may_ask_first"),
        (GOOD + "pairs = [1]", "x: write each of pairs"),
        (GOOD + 'pairs = [{first = ["hot bath"], second = ["tub"]}]', "x: first of a pair holds single words"),
        (GOOD + GOOD.replace("[x]", "[y]"), "y: 'a"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_its_place(spoilt: str, said: str) -> None:
    assert parse_words(GOOD)[0].name == "x"
    with pytest.raises(AdviceWordsError, match=said):
        parse_words(spoilt)
