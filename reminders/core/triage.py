"""What follows an answer: one pure table. A protocol may tune the numbers, never switch off the danger signs.

Rows, in the order they are tried:

    read as            the patient gets                 the plan                     the clinic gets
    danger sign, 911   emergency text at once           advice withheld              urgent, ladder until acknowledged
    danger sign, call  "a clinician will call you"      advice withheld              urgent, ladder until acknowledged
    persists, high     "told your PT" and a follow-up   recheck next day             same-day
    persists           "told your PT" and a follow-up   recheck next day             routine; same-day at the recheck
    resolved           thanks                           check-in closed              counted
    question           when a person reads it           unchanged                    inbox
    unclear            asked once more, then a person   unchanged                    inbox after the second
    not sure           a person will look               unchanged                    inbox

Words outside a check-in are never guessed into one: soreness goes to the worklist, the rest to the inbox.
"""

from dataclasses import dataclass
from enum import StrEnum

from reminders.core.protocols import Thresholds
from reminders.core.schedule import StepKind
from reminders.core.states import Severity
from reminders.core.understanding import Flag, Intent, Reading


class Tier(StrEnum):
    """How a danger sign is answered. Sources: case reports of pneumothorax within two days; emergency-care guidance."""

    NOW = "now"  # call 911
    SELF_HARM = "self_harm"  # 988 and 911
    CALL = "call"  # a clinician calls the same day


# A sign that is not named here is answered as an emergency: uncertain means human, and now.
CALL_FLAGS = frozenset({Flag.INFECTION, Flag.NEURO, Flag.SEVERE_PAIN, Flag.BLEEDING, Flag.OTHER})
# Words within those flags that are emergencies all the same: stroke, bladder, bleeding that goes on, overdose.
# The reader marks the groups of words that decided; these are their names.
EMERGENCY_GROUPS = frozenset(
    {
        "bladder_bowel",
        "bleeding_on",
        "blood_brought_up",
        "ambulance",
        "overdose",
        "stroke",
        "seizure",
        "racing_heart",
        "clot",
    }
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when an answer is read: which question is open, if any, and what came before."""

    asked: StepKind | None
    thresholds: Thresholds
    clarifications: int = 0
    earlier_score: int | None = None
    rechecks: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do. Keys name texts; `outcome` closes the open check-in; `reason` and `severity` open an escalation."""

    answer: str = ""
    answer_is_emergency: bool = False
    outcome: str = ""
    ask_again: bool = False
    follow_up: bool = False
    recheck: bool = False
    withhold_advice: bool = False
    reason: str = ""
    severity: Severity | None = None
    inbox_reason: str = ""


def tier_of(reading: Reading) -> Tier:
    """Return how a danger sign is answered; the gravest sign in the text decides."""
    if Flag.SELF_HARM in reading.flags:
        return Tier.SELF_HARM
    groups = {part for because in reading.because for part in because.rule.replace(".", ":").split(":")}
    if not reading.flags or reading.flags - CALL_FLAGS or groups & EMERGENCY_GROUPS:
        return Tier.NOW
    return Tier.CALL


_RED_FLAG_ANSWER = {
    Tier.NOW: ("emergency", True),
    Tier.SELF_HARM: ("emergency_self_harm", True),
    Tier.CALL: ("urgent_call_you", True),
}


def decide(*, reading: Reading, situation: Situation) -> Decision:
    """Return what follows one answer. Opt-out, opt-in and help are handled before this table is asked."""
    match reading.intent:
        case Intent.RED_FLAG:
            answer, is_emergency = _RED_FLAG_ANSWER[tier_of(reading)]
            return Decision(
                answer=answer,
                answer_is_emergency=is_emergency,
                outcome="red_flag" if situation.asked else "",
                withhold_advice=True,
                reason="red_flag",
                severity=Severity.URGENT,
            )
        case Intent.PERSISTS:
            return _persists(reading, situation)
        case Intent.RESOLVED if reading.sure:
            return _resolved(situation)
        case Intent.QUESTION:
            return Decision(answer="question_received", inbox_reason="question")
        case _:
            return _unclear(reading, situation)


def _persists(reading: Reading, situation: Situation) -> Decision:
    if situation.asked is None:
        return Decision(answer="told_your_pt", reason="persists", severity=_persists_severity(reading, situation))
    is_first = situation.asked is StepKind.CHECK_IN
    return Decision(
        answer="told_your_pt_follow_up" if is_first else "told_your_pt",
        outcome="persists",
        follow_up=is_first,
        recheck=situation.rechecks < situation.thresholds.recheck_limit,
        reason="persists",
        severity=_persists_severity(reading, situation),
    )


def _persists_severity(reading: Reading, situation: Situation) -> Severity:
    score, earlier = reading.score, situation.earlier_score
    is_high = score is not None and score >= situation.thresholds.same_day_score
    change = situation.thresholds.meaningful_change
    is_worse = score is not None and earlier is not None and score - earlier >= change
    says_worse = any("worse" in because.rule for because in reading.because)
    if is_high or is_worse or says_worse or situation.asked is StepKind.RECHECK:
        return Severity.SAME_DAY
    return Severity.ROUTINE


def _resolved(situation: Situation) -> Decision:
    if situation.asked is None:
        return Decision(answer="check_in_closed_thanks")
    return Decision(answer="thanks_resolved", outcome="resolved")


def _unclear(reading: Reading, situation: Situation) -> Decision:
    if situation.asked is None:
        return Decision(answer="person_will_look", inbox_reason="unclear")
    if situation.clarifications < situation.thresholds.clarify_limit:
        return Decision(answer="ask_number_again", ask_again=True)
    return Decision(answer="person_will_look", inbox_reason="unclear", outcome="human")
