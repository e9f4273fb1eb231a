"""What follows an answer: every row of the policy, and every sign in its tier."""

import tomllib
from dataclasses import replace
from importlib import resources

import pytest

from reminders.core.expected_soreness import ExpectedSoreness
from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import Severity
from reminders.core.triage import TIER_OF_FLAG, TIER_OF_RULE, Decision, Situation, Tier, decide, tier_of
from reminders.core.understanding import Because, Flag, Intent, Reading, read

THRESHOLDS = Thresholds(
    persists_score=4,
    same_day_score=7,
    meaningful_change=2,
    silent_after_minutes=1440,
    reply_window_minutes=2880,
    clarify_limit=1,
    recheck_limit=1,
    expected=(
        ExpectedSoreness(from_hours=36, at_most=5),
        ExpectedSoreness(from_hours=60, at_most=3),
        ExpectedSoreness(from_hours=0, at_most=5, techniques=("superficial",)),
        ExpectedSoreness(from_hours=0, at_most=5, techniques=("deep",), regions=("shoulder", "neck")),
    ),
)
CHECK_IN, RECHECK = StepKind.CHECK_IN, StepKind.RECHECK


def reading(
    intent: Intent,
    *,
    score: int | None = None,
    flags: tuple[Flag, ...] = (),
    rules: tuple[str, ...] = (),
    sure: bool = True,
) -> Reading:
    because = tuple(Because(rule=rule, text="", start=0, end=0) for rule in rules)
    return Reading(intent, score, frozenset(flags), because, sure=sure, language="en")


def after(asked: StepKind | None = CHECK_IN, **known: object) -> Situation:
    return Situation(asked=asked, thresholds=THRESHOLDS, **known)  # type: ignore[arg-type]


def a_day_after(technique: str, *regions: str, hours: float = 24, **known: object) -> Situation:
    return after(CHECK_IN, technique=technique, regions=frozenset(regions), hours_since_session=hours, **known)


TOLD_AND_ASKED = {"answers": ("told_your_pt_follow_up",), "outcome": "persists", "follow_up": True, "recheck": True}
TOLD_AGAIN = {"answers": ("told_your_pt",), "outcome": "persists", "recheck": False}
ROUTINE = {"reason": "persists", "severity": Severity.ROUTINE}
NEXT_TIME = {"consider": "superficial_next_time"}


def same_day(*grounds: str) -> dict[str, object]:
    return {"reason": "persists", "severity": Severity.SAME_DAY, "grounds": grounds}


URGENT = {"withhold_advice": True, "reason": "red_flag", "severity": Severity.URGENT}

ROWS = {
    "a sign for 911": (
        reading(Intent.RED_FLAG, flags=(Flag.BREATHING,)),
        after(),
        {"answers": ("emergency",), "outcome": "red_flag", **URGENT},
    ),
    "a sign for 911 without a question": (
        reading(Intent.RED_FLAG, flags=(Flag.BREATHING,)),
        after(None),
        {"answers": ("emergency",), **URGENT},
    ),
    "a sign for a call": (
        reading(Intent.RED_FLAG, flags=(Flag.INFECTION,)),
        after(),
        {"answers": ("urgent_call_you",), "outcome": "red_flag", **URGENT},
    ),
    "words about dying": (
        reading(Intent.RED_FLAG, flags=(Flag.SELF_HARM,)),
        after(),
        {"answers": ("emergency_self_harm",), "outcome": "red_flag", **URGENT},
    ),
    "words about dying beside a lesser sign": (
        reading(Intent.RED_FLAG, flags=(Flag.SELF_HARM, Flag.SEVERE_PAIN)),
        after(),
        {"answers": ("emergency_self_harm",), "outcome": "red_flag", **URGENT},
    ),
    "an overdose to die of": (
        reading(Intent.RED_FLAG, flags=(Flag.SELF_HARM, Flag.OTHER), rules=("self_harm.words", "other.overdose")),
        after(),
        {"answers": ("emergency", "emergency_self_harm"), "outcome": "red_flag", **URGENT},
    ),
    "4": (reading(Intent.PERSISTS, score=4), after(), {**TOLD_AND_ASKED, **ROUTINE}),
    "6": (reading(Intent.PERSISTS, score=6), after(), {**TOLD_AND_ASKED, **ROUTINE}),
    "7": (reading(Intent.PERSISTS, score=7), after(), {**TOLD_AND_ASKED, **same_day("high_score")}),
    "10": (reading(Intent.PERSISTS, score=10), after(), {**TOLD_AND_ASKED, **same_day("high_score")}),
    "still sore": (reading(Intent.PERSISTS, rules=("sore",)), after(), {**TOLD_AND_ASKED, **ROUTINE}),
    "getting worse": (
        reading(Intent.PERSISTS, rules=("worse",)),
        after(),
        {**TOLD_AND_ASKED, **same_day("says_worse")},
    ),
    "5 after 3": (
        reading(Intent.PERSISTS, score=5),
        after(earlier_score=3),
        {**TOLD_AND_ASKED, **same_day("more_than_before")},
    ),
    "5 after 4": (reading(Intent.PERSISTS, score=5), after(earlier_score=4), {**TOLD_AND_ASKED, **ROUTINE}),
    "5 where it was 3 after earlier sessions": (
        reading(Intent.PERSISTS, score=5),
        after(usual_score=3),
        {**TOLD_AND_ASKED, **same_day("more_than_usual")},
    ),
    "5 as after earlier sessions": (
        reading(Intent.PERSISTS, score=5),
        after(usual_score=5),
        {**TOLD_AND_ASKED, **ROUTINE},
    ),
    "8 as after earlier sessions": (
        reading(Intent.PERSISTS, score=8),
        after(usual_score=9),
        {**TOLD_AND_ASKED, **same_day("high_score")},
    ),
    "6 a day after deep needling of a calf": (
        reading(Intent.PERSISTS, score=6),
        a_day_after("deep", "calf"),
        {**TOLD_AND_ASKED, **ROUTINE, **NEXT_TIME},
    ),
    "6 a day after deep needling near the lungs": (
        reading(Intent.PERSISTS, score=6),
        a_day_after("deep", "shoulder", "arm"),
        {**TOLD_AND_ASKED, **same_day("above_expected"), **NEXT_TIME},
    ),
    "5 a day after deep needling near the lungs": (
        reading(Intent.PERSISTS, score=5),
        a_day_after("deep", "neck"),
        {**TOLD_AND_ASKED, **ROUTINE, **NEXT_TIME},
    ),
    "6 a day after superficial needling": (
        reading(Intent.PERSISTS, score=6),
        a_day_after("superficial", "calf"),
        {**TOLD_AND_ASKED, **same_day("above_expected")},
    ),
    "6 a day after electro needling": (
        reading(Intent.PERSISTS, score=6),
        a_day_after("electro", "shoulder"),
        {**TOLD_AND_ASKED, **ROUTINE},
    ),
    "6 after two days": (
        reading(Intent.PERSISTS, score=6),
        a_day_after("electro", hours=48),
        {**TOLD_AND_ASKED, **same_day("above_expected")},
    ),
    "4 after three days": (
        reading(Intent.PERSISTS, score=4),
        a_day_after("electro", hours=72),
        {**TOLD_AND_ASKED, **same_day("above_expected")},
    ),
    "words without a number after three days": (
        reading(Intent.PERSISTS, rules=("sore",)),
        a_day_after("deep", "neck", hours=72),
        {**TOLD_AND_ASKED, **ROUTINE, **NEXT_TIME},
    ),
    "8 on all grounds": (
        reading(Intent.PERSISTS, score=8, rules=("worse",)),
        a_day_after("deep", "neck", hours=48, earlier_score=4, usual_score=3),
        {
            **TOLD_AND_ASKED,
            **same_day("high_score", "more_than_before", "more_than_usual", "above_expected", "says_worse"),
            **NEXT_TIME,
        },
    ),
    "4 at the recheck": (
        reading(Intent.PERSISTS, score=4),
        after(RECHECK, rechecks=1),
        {**TOLD_AGAIN, **same_day("still_at_recheck")},
    ),
    "5 out of the blue": (
        reading(Intent.PERSISTS, score=5),
        after(None),
        {"answers": ("told_your_pt",), **ROUTINE},
    ),
    "8 out of the blue": (
        reading(Intent.PERSISTS, score=8),
        after(None),
        {"answers": ("told_your_pt",), **same_day("high_score")},
    ),
    "5, and nobody is sure": (
        reading(Intent.PERSISTS, score=5, sure=False),
        after(),
        {**TOLD_AND_ASKED, **ROUTINE},
    ),
    "2": (
        reading(Intent.RESOLVED, score=2),
        after(),
        {"answers": ("thanks_resolved",), "outcome": "resolved", "drop_recheck": True},
    ),
    "2 at the recheck": (
        reading(Intent.RESOLVED, score=2),
        after(RECHECK, rechecks=1),
        {"answers": ("thanks_resolved",), "outcome": "resolved", "drop_recheck": True},
    ),
    "2 after the check-in closed": (
        reading(Intent.RESOLVED, score=2),
        after(None, was_asked=True),
        {"answers": ("check_in_closed_thanks",), "drop_recheck": True},
    ),
    "2 with a question": (
        reading(Intent.RESOLVED, score=2),
        after(asks_too=True),
        {
            "answers": ("question_received",),
            "outcome": "resolved",
            "drop_recheck": True,
            "inbox_reason": "question",
        },
    ),
    "2 with a question after the check-in closed": (
        reading(Intent.RESOLVED, score=2),
        after(None, was_asked=True, asks_too=True),
        {"answers": ("question_received",), "drop_recheck": True, "inbox_reason": "question"},
    ),
    "2 before anybody asked": (reading(Intent.RESOLVED, score=2), after(None), {"answers": ("thanks_resolved",)}),
    "2, and nobody is sure": (
        reading(Intent.RESOLVED, score=2, sure=False),
        after(),
        {"answers": ("person_will_look",), "outcome": "human", "inbox_reason": "not_sure"},
    ),
    "a question": (
        reading(Intent.QUESTION, sure=False),
        after(),
        {"answers": ("question_received",), "inbox_reason": "question"},
    ),
    "a question out of the blue": (
        reading(Intent.QUESTION, sure=False),
        after(None),
        {"answers": ("question_received",), "inbox_reason": "question"},
    ),
    "unclear": (
        reading(Intent.UNCLEAR, sure=False),
        after(),
        {"answers": ("ask_number_again",), "ask_again": True},
    ),
    "unclear, and tells of somebody else's danger": (
        replace(reading(Intent.UNCLEAR, sure=False), others_flags=frozenset({Flag.NEURO})),
        after(),
        {
            "answers": ("person_will_look",),
            "outcome": "human",
            "reason": "anothers_danger",
            "severity": Severity.SAME_DAY,
        },
    ),
    "unclear again": (
        reading(Intent.UNCLEAR, sure=False),
        after(clarifications=1),
        {"answers": ("person_will_look",), "outcome": "human", "inbox_reason": "unclear"},
    ),
    "unclear out of the blue": (
        reading(Intent.UNCLEAR, sure=False),
        after(None),
        {"answers": ("person_will_look",), "inbox_reason": "unclear"},
    ),
}


@pytest.mark.parametrize(("said", "situation", "expected"), ROWS.values(), ids=ROWS)
def test_the_policy_row_by_row(said: Reading, situation: Situation, expected: dict[str, object]) -> None:
    assert decide(reading=said, situation=situation) == Decision(**expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("flag", TIER_OF_FLAG)
@pytest.mark.parametrize("asked", [CHECK_IN, RECHECK, None])
def test_no_number_and_no_threshold_softens_a_danger_sign(flag: Flag, asked: StepKind | None) -> None:
    deaf = Thresholds(
        persists_score=10,
        same_day_score=10,
        meaningful_change=10,
        silent_after_minutes=1,
        reply_window_minutes=1,
        clarify_limit=0,
        recheck_limit=0,
    )

    decision = decide(
        reading=reading(Intent.RED_FLAG, score=0, flags=(flag,), sure=False), situation=Situation(asked, deaf)
    )

    assert decision.severity is Severity.URGENT
    assert decision.withhold_advice
    assert decision.answers


@pytest.mark.parametrize(
    ("flags", "rules", "tier"),
    [
        ((Flag.INFECTION,), (), Tier.CALL),
        ((Flag.SEVERE_PAIN,), (), Tier.CALL),
        ((Flag.INFECTION, Flag.CHEST_PAIN), (), Tier.NOW),
        ((Flag.NEURO,), ("neuro.numb",), Tier.CALL),
        ((Flag.NEURO,), ("neuro.weak", "score"), Tier.CALL),
        ((Flag.NEURO,), ("neuro.brain",), Tier.NOW),
        ((Flag.NEURO,), ("neuro.numb", "neuro.bladder"), Tier.NOW),
        ((Flag.BLEEDING,), ("bleeding.swelling",), Tier.CALL),
        ((Flag.BLEEDING,), ("bleeding.on",), Tier.NOW),
        ((Flag.BLEEDING, Flag.NEURO), ("bleeding.swelling", "neuro.numb"), Tier.CALL),
        ((Flag.OTHER,), ("other.overdose",), Tier.NOW),
        ((Flag.OTHER,), ("other.burn",), Tier.CALL),
    ],
)
def test_the_gravest_sign_decides_the_tier(flags: tuple[Flag, ...], rules: tuple[str, ...], tier: Tier) -> None:
    assert tier_of(reading(Intent.RED_FLAG, flags=flags, rules=rules)) is tier


@pytest.mark.parametrize("flag", [Flag.NEURO, Flag.BLEEDING, Flag.OTHER])
@pytest.mark.parametrize("rules", [(), ("a_rule_of_tomorrow",)])
def test_a_sign_that_nobody_placed_is_an_emergency(flag: Flag, rules: tuple[str, ...]) -> None:
    named = tuple(f"{flag}.{rule}" for rule in rules)

    assert tier_of(reading(Intent.RED_FLAG, flags=(flag,), rules=named)) is Tier.NOW


def test_a_danger_sign_without_any_flag_is_an_emergency() -> None:
    assert tier_of(reading(Intent.RED_FLAG)) is Tier.NOW


def test_every_group_of_words_within_a_mixed_flag_has_its_tier_and_no_name_is_stale() -> None:
    folder = resources.files("reminders.core.understanding").joinpath("lexicon")
    groups = [
        group
        for entry in folder.iterdir()
        if entry.name.startswith("flags_")
        for group in tomllib.loads(entry.read_text("utf-8"))["group"]
    ]
    mixed = {flag.value for flag in Flag if flag not in TIER_OF_FLAG}

    found = {group["rule"] for group in groups if group["rule"].split(".")[0] in mixed}

    assert found == set(TIER_OF_RULE)


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("struggling to get air", Tier.NOW),
        ("no puedo respirar", Tier.NOW),
        ("my chest hurts", Tier.NOW),
        ("it is still bleeding, it will not stop", Tier.NOW),
        ("I lost control of my bladder", Tier.NOW),
        ("my face is drooping and my speech is slurred", Tier.NOW),
        ("I fainted an hour ago", Tier.NOW),
        ("my tongue is swelling", Tier.NOW),
        ("my hand has been numb since the session", Tier.CALL),
        ("tengo fiebre", Tier.CALL),
        ("the pain is unbearable", Tier.CALL),
    ],
)
def test_what_patients_write_lands_in_its_tier(text: str, tier: Tier) -> None:
    said = read(text)

    assert said.intent is Intent.RED_FLAG
    assert tier_of(said) is tier


@pytest.mark.parametrize(
    ("persists_score", "score", "rules", "outcome"),
    [
        (3, 3, ("score",), "persists"),
        (3, 3, ("score", "well.fine"), "persists"),
        (4, 3, ("score",), "resolved"),
        (6, 5, ("score",), "resolved"),
        (6, 5, ("score", "worse.worse"), "persists"),
        (6, 6, ("score",), "persists"),
    ],
)
def test_the_protocol_says_from_which_number_on_soreness_persists(
    persists_score: int, score: int, rules: tuple[str, ...], outcome: str
) -> None:
    """The reader knows the usual number alone; words beside a lower one keep their say."""
    intent = Intent.PERSISTS if score >= 4 else Intent.RESOLVED
    numbers = replace(THRESHOLDS, persists_score=persists_score)

    decision = decide(reading=reading(intent, score=score, rules=rules), situation=replace(after(), thresholds=numbers))

    assert decision.outcome == outcome
