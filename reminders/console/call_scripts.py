"""What to ask on the phone, from what was reported. Starter wording: a licensed clinician must sign it off.

The questions follow the published case reports behind the danger signs: a collapsed lung can show hours to two days
after needling near the chest, so the treated region adds a question and never takes one away.
"""

from collections.abc import Mapping, Sequence
from typing import Final

NEAR_THE_CHEST: Final = frozenset({"neck", "shoulder", "upper_back", "thorax", "upper_arm"})

_EMERGENCY: Final = (
    "If they struggle to speak, sound confused or get worse while you talk: tell them to call 911 now. "
    "Stay on the line until help is there."
)
_SELF_HARM: Final = (
    "Ask plainly: are you safe right now? If not, call 911 together. Offer 988, by call or text, and stay on the line."
)
_BY_FLAG: Final[Mapping[str, str]] = {
    "breathing": "Does it hurt or catch when you breathe in? Are you short of breath at rest? Any cough, any blood?",
    "chest_pain": "Where does it hurt, since when, and does breathing or moving change it?",
    "bleeding": "Is it still bleeding? Is the swelling growing or hard? Do you take a blood thinner?",
    "infection": "Any fever or chills? Is the redness spreading, hot, or is there pus?",
    "allergic": "Any swelling of face, lips or tongue? Any trouble swallowing or breathing? Is the rash spreading?",
    "neuro": "What feels numb or weak? Does the foot or hand drop? Any trouble with bladder or bowel?",
    "fainting": "Did you pass out or nearly? How do you feel sitting up? Is somebody with you?",
    "severe_pain": "What can you not do because of the pain? Is it getting worse by the hour?",
    "self_harm": _SELF_HARM,
    "other": "What happened, when, and what has been done about it?",
}
_NEAR_CHEST: Final = (
    "The needles were near the chest. Ask about breathing even if the number is low: a collapsed lung can show up to "
    "two days later."
)
_PERSISTS: Final = (
    "How sore is it now, 0 to 10? Better, the same or worse than this morning?",
    "What makes it worse, and what have you tried?",
    "Any numbness, weakness, fever or trouble breathing? If yes, treat this call as urgent.",
)
_SILENCE: Final = (
    "How sore is it now, 0 to 10?",
    "Do our texts arrive? Is this still the right number?",
    "Any numbness, weakness, fever or trouble breathing? If yes, treat this call as urgent.",
)
_WRONG_NUMBER: Final = (
    "Do not call the number that wrote: somebody else has it. Reach the patient another way: e-mail, their next visit.",
    "Is the number on file right? If it is, lift the hold under Delivery. If not, put the new number on file.",
    "Nothing was sent since: ask how sore it is, 0 to 10, and about numbness, weakness, fever or trouble breathing.",
)
_ANOTHERS_DANGER: Final = (
    "Ask first who is unwell. If it is our patient, treat this call as urgent: what happened, and is help there?",
    "If it is somebody else: 911, or that person's own doctor. Then ask how sore the patient is, 0 to 10.",
)
_END: Final = "Agree on what happens next, and write it into the note."

_OTHERWISE: Final[Mapping[str, Sequence[str]]] = {"silence": _SILENCE, "anothers_danger": _ANOTHERS_DANGER}


def call_script(*, reason: str, flags: Sequence[str], regions: Sequence[str], clinic_name: str) -> list[str]:
    """Return what to say and ask, in order."""
    if reason == "wrong_number":
        return [*_WRONG_NUMBER, _END]
    lines = [f"Say who you are, from {clinic_name}, and that you call about their text."]
    if reason == "red_flag":
        lines.append(_SELF_HARM if "self_harm" in flags else _EMERGENCY)
        lines += [question for flag, question in _BY_FLAG.items() if flag in flags and flag != "self_harm"]
    else:
        lines += _OTHERWISE.get(reason, _PERSISTS)
    if NEAR_THE_CHEST.intersection(regions):
        lines.append(_NEAR_CHEST)
    return [*lines, _END]
