"""What follows an answer: one pure table. A protocol may tune the numbers, never switch off the danger signs.

    read as             the patient gets                 the plan                      the clinic gets
    danger sign, now    emergency text at once           advice withheld               urgent, ladder until acknowledged
    danger sign, call   "a clinician will call you"      advice withheld               urgent, ladder until acknowledged
    persists, and more  "told your PT" and a follow-up   recheck next day              same-day
    persists            "told your PT" and a follow-up   recheck next day              routine
    resolved            thanks                           check-in closed, no recheck   counted
    resolved, and asks  when a person reads it           check-in closed, no recheck   inbox
    resolved, not sure  a person will look               check-in closed               inbox
    question            when a person reads it           unchanged                     inbox
    unclear             asked once more, then a person   unchanged, then closed        inbox after the second
    unclear, and tells  a person will look, and 911      check-in closed               same-day
    of another's danger

"And more" is any of: a high score, more than the last answer or than after earlier sessions, above the expected curve
for the technique and the place, words that say worse, or soreness still there at the recheck. The grounds go with the
case.

Words outside a check-in are never guessed into one: soreness goes to the worklist, the rest to the inbox.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reminders.core.expected_soreness import is_above_expected
from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import Severity
from reminders.core.understanding import Flag, Intent, Reading

# Regions where a needle can reach the lung: trouble can show up to two days later (published cases of pneumothorax).
NEAR_THE_LUNGS = frozenset({"thorax", "shoulder", "neck", "upper_back"})


class Tier(StrEnum):
    """How a danger sign is answered. No guideline sets these tiers; a licensed clinician has to sign them off."""

    NOW = "now"  # call 911
    CALL = "call"  # a clinician calls the same day


# A flag that is not named here holds both tiers, and the reader's rule decides (below).
TIER_OF_FLAG: Mapping[Flag, Tier] = {
    Flag.BREATHING: Tier.NOW,
    Flag.CHEST_PAIN: Tier.NOW,
    Flag.ALLERGIC: Tier.NOW,
    Flag.FAINTING: Tier.NOW,
    Flag.SELF_HARM: Tier.NOW,
    Flag.INFECTION: Tier.CALL,
    Flag.SEVERE_PAIN: Tier.CALL,
}

# The groups of words, as the reader names them, within the flags that hold both tiers. A group that is not named here
# is answered as an emergency: in doubt it is 911.
TIER_OF_RULE: Mapping[str, Tier] = {
    "bleeding.on": Tier.NOW,
    "bleeding.passed": Tier.NOW,
    "bleeding.size": Tier.CALL,
    "bleeding.swelling": Tier.CALL,
    "neuro.bladder": Tier.NOW,
    "neuro.brain": Tier.NOW,
    "neuro.numb": Tier.CALL,
    "neuro.weak": Tier.CALL,
    "other.ambulance": Tier.NOW,
    "other.heart": Tier.NOW,
    "other.overdose": Tier.NOW,
    "other.emergency_care": Tier.NOW,
    "other.burn": Tier.CALL,
    "other.calf": Tier.CALL,
    "other.needle": Tier.CALL,
    "other.vomit": Tier.CALL,
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when an answer is read: which question is open, if any, and what came before.

    `was_asked` tells whether a question about the latest treatment was put at all; it matters where none is open.
    `earlier_score` is the last answer about this session, `usual_score` the highest after the patient's earlier ones,
    and `asks_too` says that the text holds a question beside its answer.
    """

    asked: StepKind | None
    thresholds: Thresholds
    was_asked: bool = False
    clarifications: int = 0
    earlier_score: int | None = None
    usual_score: int | None = None
    rechecks: int = 0
    technique: str = ""
    regions: frozenset[str] = frozenset()
    hours_since_session: float | None = None
    asks_too: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do. `answers` name texts; `outcome` closes the open check-in; `reason` and `severity` open a case.

    `grounds` are codes that say why the case is as serious as it is, `consider` one that the PT may think about.
    """

    answers: tuple[str, ...] = ()
    outcome: str = ""
    ask_again: bool = False
    follow_up: bool = False
    recheck: bool = False
    drop_recheck: bool = False
    withhold_advice: bool = False
    reason: str = ""
    severity: Severity | None = None
    grounds: tuple[str, ...] = ()
    consider: str = ""
    inbox_reason: str = ""


def tier_of(reading: Reading) -> Tier:
    """Return how a danger sign is answered; the gravest sign in the text decides, and no known sign is the gravest."""
    tiers = {_tier_of_flag(flag, reading) for flag in reading.flags}
    return Tier.CALL if tiers == {Tier.CALL} else Tier.NOW


def _tier_of_flag(flag: Flag, reading: Reading) -> Tier:
    if flag in TIER_OF_FLAG:
        return TIER_OF_FLAG[flag]
    rules = [because.rule for because in reading.because if because.rule.startswith(f"{flag}.")]
    tiers = {TIER_OF_RULE.get(rule, Tier.NOW) for rule in rules}
    return Tier.CALL if tiers == {Tier.CALL} else Tier.NOW


def silence_matters(*, technique: str, regions: Collection[str]) -> bool:
    """Whether silence is work for the clinic: after deep needling near the lungs, where trouble shows late."""
    return technique == "deep" and not NEAR_THE_LUNGS.isdisjoint(regions)


def decide(*, reading: Reading, situation: Situation) -> Decision:
    """Return what follows one answer. Opt-out, opt-in and help are handled before this table is asked."""
    match _intent(reading, situation.thresholds):
        case Intent.RED_FLAG:
            return _red_flag(reading, situation)
        case Intent.PERSISTS:
            return _persists(reading, situation)
        case Intent.RESOLVED:
            return _resolved(situation) if reading.sure else _person(situation, "not_sure")
        case Intent.QUESTION:
            return Decision(answers=("question_received",), inbox_reason="question")
        case _:
            return _anothers_danger(situation) if reading.others_flags else _unclear(situation)


def _intent(reading: Reading, thresholds: Thresholds) -> Intent:
    """Return how an answer counts in this protocol: the reader knows the usual number alone.

    A number that persists here persists whatever was said beside it; a lower one is fine where it came without words.
    """
    score, words = reading.score, [because for because in reading.because if because.rule != "score"]
    if score is None or reading.intent not in (Intent.PERSISTS, Intent.RESOLVED):
        return reading.intent
    if score >= thresholds.persists_score:
        return Intent.PERSISTS
    return reading.intent if words else Intent.RESOLVED


def _red_flag(reading: Reading, situation: Situation) -> Decision:
    return Decision(
        answers=_emergency_answers(reading),
        outcome="red_flag" if situation.asked else "",
        withhold_advice=True,
        reason="red_flag",
        severity=Severity.URGENT,
    )


def _emergency_answers(reading: Reading) -> tuple[str, ...]:
    """Name the texts; who speaks of dying and has another emergency (an overdose, say) gets both."""
    if Flag.SELF_HARM not in reading.flags:
        return ("emergency",) if tier_of(reading) is Tier.NOW else ("urgent_call_you",)
    others = reading.flags - {Flag.SELF_HARM}
    also_now = any(_tier_of_flag(flag, reading) is Tier.NOW for flag in others)
    return ("emergency", "emergency_self_harm") if also_now else ("emergency_self_harm",)


def _persists(reading: Reading, situation: Situation) -> Decision:
    asks_more = situation.asked is StepKind.CHECK_IN
    grounds = tuple(_grounds(reading, situation))
    return Decision(
        answers=("told_your_pt_follow_up",) if asks_more else ("told_your_pt",),
        outcome="persists" if situation.asked else "",
        follow_up=asks_more,
        recheck=situation.asked is not None and situation.rechecks < situation.thresholds.recheck_limit,
        reason="persists",
        severity=Severity.SAME_DAY if grounds else Severity.ROUTINE,
        grounds=grounds,
        # Superficial needling is what a clinic chooses where deep needling makes a patient very sore.
        consider="superficial_next_time" if situation.technique == "deep" else "",
    )


def _grounds(reading: Reading, situation: Situation) -> Iterator[str]:
    """Yield why soreness that persists is a same-day matter; nothing where it is a routine one."""
    score, limits = reading.score, situation.thresholds
    if score is not None:
        if score >= limits.same_day_score:
            yield "high_score"
        if situation.earlier_score is not None and score - situation.earlier_score >= limits.meaningful_change:
            yield "more_than_before"
        if situation.usual_score is not None and score - situation.usual_score >= limits.meaningful_change:
            yield "more_than_usual"
        if is_above_expected(
            score=score,
            curve=limits.expected,
            technique=situation.technique,
            regions=situation.regions,
            hours=situation.hours_since_session,
        ):
            yield "above_expected"
    if any("worse" in because.rule for because in reading.because):
        yield "says_worse"
    if situation.asked is StepKind.RECHECK:
        yield "still_at_recheck"


def _resolved(situation: Situation) -> Decision:
    is_late = situation.asked is None and situation.was_asked
    thanks = "check_in_closed_thanks" if is_late else "thanks_resolved"
    return Decision(
        answers=("question_received",) if situation.asks_too else (thanks,),
        outcome="resolved" if situation.asked else "",
        drop_recheck=is_late or situation.asked is not None,
        inbox_reason="question" if situation.asks_too else "",
    )


def _unclear(situation: Situation) -> Decision:
    if situation.asked is not None and situation.clarifications < situation.thresholds.clarify_limit:
        return Decision(answers=("ask_number_again",), ask_again=True)
    return _person(situation, "unclear")


def _anothers_danger(situation: Situation) -> Decision:
    """Ask nothing more: a relative may be writing about the patient, and only a call can tell."""
    return Decision(
        answers=("person_will_look",),
        outcome="human" if situation.asked else "",
        reason="anothers_danger",
        severity=Severity.SAME_DAY,
    )


def _person(situation: Situation, inbox_reason: str) -> Decision:
    return Decision(
        answers=("person_will_look",), inbox_reason=inbox_reason, outcome="human" if situation.asked else ""
    )
