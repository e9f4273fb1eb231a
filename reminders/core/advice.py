"""What a patient's screening leaves open: may a text suggest heat, and which pain medicine may it name.

Every rule can only take something away, so their order does not matter and what nobody decided stays cautious. The
rules come from published contraindications of surface heat, from US over-the-counter drug labels, and, where `source`
says "judgement", from caution alone. A licensed clinician must sign them off before patients get texts.

Metal allergy, pacemaker and technique change nothing here: they decide about the treatment itself, which is over. So do
the cautions on electric current (pacemaker, epilepsy, pregnancy, implanted metal, blood thinners): no advice is known
that would differ after it.

Not asked in screening, so no rule can read it: for heat, poor circulation, infection or fever, an open wound, a fresh
bruise, creams on the skin, metal in the area; for medicine, heart disease, high blood pressure, diuretics, asthma from
aspirin, three or more drinks a day, and what is taken already. The starter texts caution in their place ("not on numb,
bruised or broken skin", "if it is safe for you", "follow the label"); of circulation and infection they say nothing.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache

ADULT_AGE_YEARS = 18


@dataclass(frozen=True, slots=True)
class Screening:
    """The answers to the clinic's questions; None means that nobody asked, or nobody knows."""

    bleeding_disorder: bool | None = None
    anticoagulant: bool | None = None
    nsaid_allergy: bool | None = None
    ulcer: bool | None = None
    kidney_disease: bool | None = None
    liver_disease: bool | None = None
    pregnancy: bool | None = None
    metal_allergy: bool | None = None
    reduced_sensation: bool | None = None
    pacemaker: bool | None = None


SCREENING_FACTS = tuple(field.name for field in fields(Screening))


class Topic(StrEnum):
    """What a rule is about."""

    HEAT = "heat"
    DRUG = "drug"


class DrugAdvice(StrEnum):
    """Which pain medicine a text may name. NONE names no drug: "ask us or your pharmacist"."""

    NONE = "none"
    ACETAMINOPHEN = "acetaminophen"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that took something away, in a sentence for the therapist."""

    rule: str
    topic: Topic
    sentence: str


@dataclass(frozen=True, slots=True)
class AdviceDecision:
    """What the texts of one treatment session may say, and why not more."""

    heat_ok: bool
    drug: DrugAdvice
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules read. `regions` are in lower case with spaces between words."""

    screening: Screening
    technique: str
    age_years: int | None
    regions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: where it applies, heat is off (`drug` is None) or at most `drug` may be named.

    `who` says of which patients, in words that follow "patients".
    """

    name: str
    who: str
    drug: DrugAdvice | None
    sentence: str
    source: str
    applies: Callable[[Facts], bool]

    @property
    def topic(self) -> Topic:
        """Heat where the rule names no limit for drugs."""
        return Topic.HEAT if self.drug is None else Topic.DRUG


# The drug labels of a patient with an unknown answer here could say "do not use" or "ask a doctor first".
_DRUG_FACTS = (
    "bleeding_disorder",
    "anticoagulant",
    "nsaid_allergy",
    "ulcer",
    "kidney_disease",
    "liver_disease",
    "pregnancy",
)

# Surely not belly or low back. A region that is not listed counts as near, so a new name starts on the safe side.
_FAR_FROM_WOMB = frozenset(
    name
    for group in (
        ("head", "scalp", "face", "jaw", "neck"),
        ("chest", "thorax", "upper back", "mid back", "trapezius", "upper trapezius", "shoulder"),
        ("arm", "upper arm", "elbow", "forearm", "wrist", "hand"),
        ("leg", "thigh", "quadriceps", "hamstring", "knee", "lower leg", "shin", "calf", "ankle", "foot"),
    )
    for name in group
)


def _heat_reaches_womb(facts: Facts) -> bool:
    """No region given is an unknown region. An unknown pregnancy counts as one: the text cannot carry this caution."""
    near = not facts.regions or not facts.regions <= _FAR_FROM_WOMB
    return facts.screening.pregnancy is not False and near


_HEAT = (
    "Contraindications of surface heat: Houghton, Nussbaum & Hoens, Physiother Can 2010;62(5), and clinic references"
)
_LABEL = "US Drug Facts labels of over-the-counter NSAIDs and acetaminophen"
_NSAID_OUT = DrugAdvice.ACETAMINOPHEN

RULES: tuple[Rule, ...] = (
    Rule(
        "heat_reduced_sensation",
        "with reduced feeling",
        None,
        "Feeling is reduced, so heat could burn without being noticed.",
        _HEAT,
        lambda facts: facts.screening.reduced_sensation is True,
    ),
    Rule(
        "heat_bleeding_disorder",
        "with a bleeding disorder",
        None,
        "A bleeding disorder: heat widens the vessels of a muscle that may still bleed.",
        _HEAT,
        lambda facts: facts.screening.bleeding_disorder is True,
    ),
    Rule(
        "heat_anticoagulant",
        "on a blood thinner",
        None,
        "A blood thinner acts like a bleeding disorder, so heat is left out.",
        "judgement, after the bleeding disorders of the heat contraindications",
        lambda facts: facts.screening.anticoagulant is True,
    ),
    Rule(
        "heat_pregnancy",
        "who are or may be pregnant (near belly and low back)",
        None,
        "Pregnant or not known, and the treated region is, or may be, the belly or low back: no heat there.",
        _HEAT,
        _heat_reaches_womb,
    ),
    Rule(
        "drug_not_screened",
        "not fully screened",
        DrugAdvice.NONE,
        "A screening answer that matters for pain medicine is missing, so no drug is named.",
        "judgement: what is not known is treated as a no",
        lambda facts: any(getattr(facts.screening, fact) is None for fact in _DRUG_FACTS),
    ),
    Rule(
        "drug_age_unknown",
        "of unknown age",
        DrugAdvice.NONE,
        "The age is not known, and no drug is named to anyone who may be under 18.",
        "judgement: what is not known is treated as a no",
        lambda facts: facts.age_years is None,
    ),
    Rule(
        "drug_under_18",
        "under 18",
        DrugAdvice.NONE,
        "Under 18: no automatic text names a drug.",
        "judgement",
        lambda facts: facts.age_years is not None and facts.age_years < ADULT_AGE_YEARS,
    ),
    Rule(
        "drug_anticoagulant",
        "on a blood thinner",
        DrugAdvice.NONE,
        "A blood thinner: NSAIDs add to the risk of bleeding, and with warfarin acetaminophen needs a question first.",
        f"{_LABEL}; AAFP list of NSAID interactions; FDA questions and answers on acetaminophen",
        lambda facts: facts.screening.anticoagulant is True,
    ),
    Rule(
        "drug_liver_disease",
        "with liver disease",
        DrugAdvice.NONE,
        "Liver disease: the labels of both kinds say to ask a doctor first.",
        _LABEL,
        lambda facts: facts.screening.liver_disease is True,
    ),
    Rule(
        "drug_pregnancy",
        "who are pregnant",
        DrugAdvice.NONE,
        "Pregnant: NSAIDs are to be avoided from about 20 weeks, and acetaminophen needs a question first.",
        f"FDA safety communication, 15 October 2020; {_LABEL}",
        lambda facts: facts.screening.pregnancy is True,
    ),
    Rule(
        "drug_bleeding_disorder",
        "with a bleeding disorder",
        _NSAID_OUT,
        "A bleeding disorder: NSAIDs make bleeding worse.",
        _LABEL,
        lambda facts: facts.screening.bleeding_disorder is True,
    ),
    Rule(
        "drug_nsaid_allergy",
        "allergic to aspirin or another NSAID",
        _NSAID_OUT,
        "An allergy to aspirin or another NSAID rules out all of them.",
        f"{_LABEL}, allergy alert",
        lambda facts: facts.screening.nsaid_allergy is True,
    ),
    Rule(
        "drug_ulcer",
        "with a stomach ulcer",
        _NSAID_OUT,
        "A stomach ulcer or bleeding: NSAIDs can make it bleed again.",
        f"{_LABEL}, stomach bleeding warning",
        lambda facts: facts.screening.ulcer is True,
    ),
    Rule(
        "drug_kidney_disease",
        "with kidney disease",
        _NSAID_OUT,
        "Kidney disease: NSAIDs need a doctor's word first.",
        _LABEL,
        lambda facts: facts.screening.kidney_disease is True,
    ),
)

_STRICTNESS = (DrugAdvice.ANY, DrugAdvice.ACETAMINOPHEN, DrugAdvice.NONE)


def decide_advice(
    *, screening: Screening | None, technique: str, age_years: int | None, regions: Collection[str] = ()
) -> AdviceDecision:
    """Decide what the texts may say about heat and pain medicine.

    Safe where something is not known: without a full screening, or without an age, no drug is named. An unknown
    sensation leaves heat open, because the heat text itself says "not on numb, bruised or broken skin"; an unknown
    pregnancy closes it for all but regions far from belly and low back, because no short text can carry that.
    `screening=None` means that nobody asked anything. `regions` are names in any case, with spaces, `_` or `-`.
    """
    facts = Facts(
        screening=screening or Screening(),
        technique=technique,
        age_years=age_years,
        regions=frozenset(_plain_region(region) for region in regions),
    )
    return apply_rules(RULES, facts)


def apply_rules(rules: Iterable[Rule], facts: Facts) -> AdviceDecision:
    """Decide by a given table: heat and any drug, less what each rule that applies takes away."""
    applied = [rule for rule in rules if rule.applies(facts)]
    limits = [rule.drug for rule in applied if rule.drug is not None]
    return AdviceDecision(
        heat_ok=all(rule.topic is not Topic.HEAT for rule in applied),
        drug=max(limits, key=_STRICTNESS.index, default=DrugAdvice.ANY),
        reasons=tuple(Reason(rule.name, rule.topic, rule.sentence) for rule in applied),
    )


# A clinic names the same few dozen regions again and again.
@lru_cache(maxsize=512)
def _plain_region(region: str) -> str:
    words = region.strip().lower().replace("_", " ").replace("-", " ").split()
    return " ".join(word for word in words if word not in ("left", "right"))
