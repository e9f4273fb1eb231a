"""Who is told to use heat, and which medicine a text names."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.core.advice import (
    RULES,
    SCREENING_FACTS,
    AdviceDecision,
    DrugAdvice,
    Facts,
    Screening,
    Topic,
    apply_rules,
    decide_advice,
)

ALL_CLEAR = Screening(**dict.fromkeys(SCREENING_FACTS, False))
NONE, ACETAMINOPHEN, ANY = DrugAdvice.NONE, DrugAdvice.ACETAMINOPHEN, DrugAdvice.ANY


@dataclass(frozen=True)
class Case:
    """One patient and what her texts may say."""

    who: str
    heat_ok: bool
    drug: DrugAdvice
    screening: Screening = ALL_CLEAR
    age_years: int | None = 40
    regions: tuple[str, ...] = ("shoulder",)
    technique: str = "deep"


def having(**facts: bool | None) -> Screening:
    """All answers no, but these."""
    return replace(ALL_CLEAR, **facts)


CASES = (
    Case("an adult with nothing to report", True, ANY),
    Case("of 18", True, ANY, age_years=18),
    Case("of 17", True, NONE, age_years=17),
    Case("of an age nobody knows", True, NONE, age_years=None),
    Case("whom nobody screened", True, NONE, Screening()),
    Case("with a bleeding disorder", False, ACETAMINOPHEN, having(bleeding_disorder=True)),
    Case("on a blood thinner", False, NONE, having(anticoagulant=True)),
    Case("allergic to aspirin", True, ACETAMINOPHEN, having(nsaid_allergy=True)),
    Case("with an ulcer", True, ACETAMINOPHEN, having(ulcer=True)),
    Case("with kidney disease", True, ACETAMINOPHEN, having(kidney_disease=True)),
    Case("with liver disease", True, NONE, having(liver_disease=True)),
    Case("with a numb area", False, ANY, having(reduced_sensation=True)),
    Case("whose sensation nobody tested: the heat text itself warns", True, ANY, having(reduced_sensation=None)),
    Case("with a metal allergy, which ended with the needle", True, ANY, having(metal_allergy=True)),
    Case("with a pacemaker, which concerns the treatment", True, ANY, having(pacemaker=True), technique="electro"),
    Case("with a metal allergy nobody asked about", True, ANY, having(metal_allergy=None, pacemaker=None)),
    Case("pregnant, shoulder", True, NONE, having(pregnancy=True)),
    Case("pregnant, low back", False, NONE, having(pregnancy=True), regions=("low_back",)),
    Case("pregnant, shoulder and belly", False, NONE, having(pregnancy=True), regions=("shoulder", "abdomen")),
    Case("pregnant, a region we do not know", False, NONE, having(pregnancy=True), regions=("psoas",)),
    Case("pregnant, no region given", False, NONE, having(pregnancy=True), regions=()),
    Case("pregnant, in other spelling", True, NONE, having(pregnancy=True), regions=(" Left Upper-Back",)),
    Case("perhaps pregnant, shoulder", True, NONE, having(pregnancy=None)),
    Case("perhaps pregnant, low back", False, NONE, having(pregnancy=None), regions=("low back",)),
    Case("not pregnant, low back", True, ANY, regions=("low back",)),
    *(
        Case(f"never asked about {fact}", True, NONE, having(**{fact: None}))
        for fact in ("bleeding_disorder", "anticoagulant", "nsaid_allergy", "ulcer", "kidney_disease", "liver_disease")
    ),
    Case("with an ulcer and liver disease: the stricter wins", True, NONE, having(ulcer=True, liver_disease=True)),
)


def facts_of(case: Case) -> Facts:
    """The case as the rules read it."""
    regions = frozenset(" ".join(region.replace("_", " ").lower().split()) for region in case.regions)
    return Facts(case.screening, case.technique, case.age_years, regions)


def decide(case: Case) -> AdviceDecision:
    """What the product decides."""
    return decide_advice(
        screening=case.screening, technique=case.technique, age_years=case.age_years, regions=case.regions
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.who)
def test_a_patient(case: Case) -> None:
    decision = decide(case)

    assert (decision.heat_ok, decision.drug) == (case.heat_ok, case.drug)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_without_any_one_rule_some_patient_would_get_other_advice(rule: object) -> None:
    rest = [other for other in RULES if other is not rule]

    changed = [case.who for case in CASES if differs(case, apply_rules(rest, facts_of(case)))]

    assert changed


def differs(case: Case, decision: AdviceDecision) -> bool:
    """Whether this is other advice than the table's."""
    return (decision.heat_ok, decision.drug) != (case.heat_ok, case.drug)


def test_nobody_asked_anything_is_the_same_as_all_answers_missing() -> None:
    assert decide_advice(screening=None, technique="deep", age_years=40) == decide_advice(
        screening=Screening(), technique="deep", age_years=40
    )


def test_every_limit_is_explained_to_the_therapist() -> None:
    decision = decide(Case("on warfarin, with a numb arm", False, NONE, having(anticoagulant=True)))

    assert [(reason.rule, reason.topic) for reason in decision.reasons] == [
        ("heat_anticoagulant", Topic.HEAT),
        ("drug_anticoagulant", Topic.DRUG),
    ]
    assert all(reason.sentence.endswith(".") for reason in decision.reasons)


def test_full_advice_needs_no_explanation() -> None:
    assert decide(CASES[0]).reasons == ()


def test_every_rule_has_its_own_name_a_sentence_and_a_source() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.name.startswith(f"{rule.topic}_")
        assert rule.sentence.endswith(".")
        assert rule.source


@given(
    screening=st.builds(Screening, **dict.fromkeys(SCREENING_FACTS, st.sampled_from([True, False, None]))),
    fact=st.sampled_from(SCREENING_FACTS),
    age_years=st.none() | st.integers(0, 110),
    regions=st.lists(st.sampled_from(["shoulder", "low back", "abdomen", "calf"])),
)
def test_a_yes_never_allows_what_a_no_did_not(
    screening: Screening, fact: str, age_years: int | None, regions: list[str]
) -> None:
    def answered(answer: bool) -> AdviceDecision:
        return decide_advice(
            screening=replace(screening, **{fact: answer}), technique="deep", age_years=age_years, regions=regions
        )

    strictness = [ANY, ACETAMINOPHEN, NONE]
    assert answered(True).heat_ok <= answered(False).heat_ok
    assert strictness.index(answered(True).drug) >= strictness.index(answered(False).drug)


@given(st.sampled_from(SCREENING_FACTS[:7]), st.none() | st.integers(0, 110))
def test_one_unknown_answer_about_medicine_names_no_drug(fact: str, age_years: int | None) -> None:
    decision = decide_advice(screening=having(**{fact: None}), technique="electro", age_years=age_years)

    assert decision.drug is NONE
