"""Codes as people read them. A code that is not listed here is shown in its own plain words, never hidden."""

from collections.abc import Mapping

from reminders.clinic.models import PhoneState, Technique
from reminders.conversations.models import CheckIn
from reminders.core.carrier_errors import Fault
from reminders.core.states import MessageState
from reminders.escalations.models import Escalation
from reminders.messaging.models import Kind, Message
from reminders.messaging.second_attempts import is_second_attempt

STATE_REASONS: Mapping[str, str] = {
    "quiet_hours": "it would have fallen into quiet hours",
    "expired": "it could only have left too late to be of use",
    "found_past_expiry": "it could only have left too late to be of use",
    "no_consent": "the patient has not agreed to texts",
    "opted_out": "the patient opted out",
    "red_flag": "a danger sign was reported",
    "newer_session": "a newer session's advice takes its place",
    "replanned": "the plan was laid out anew",
    "voided": "the session was taken back",
    "phone_landline": "the number cannot receive texts",
    "phone_dead": "the number is no longer in service",
    "phone_unreachable": "the number cannot be reached",
    "phone_quarantined": "the number was reported as a wrong one",
    "acknowledged": "somebody took the case",
    "answered": "the patient answered",
    "silent": "the question closed without an answer",
    "lease_ended": "the connection broke while it was sent",
    "sent_again": "nobody knew whether it arrived, and it was sent again",
    "marked_as_sent": "nobody knew whether it arrived, and it was marked as sent",
    "marked_not_arrived": "nobody knew whether it arrived, and it was marked as not arrived",
    "second_attempt": "the first one did not arrive",
    "first_one_left": "the first one turned out to have left",
    "carrier_id_taken": "the carrier's answer made no sense",
    Fault.NUMBER_INVALID: "no phone has this number",
    Fault.NUMBER_CANNOT_TEXT: "the number is a landline",
    Fault.NUMBER_DEAD: "the number is no longer in service",
    Fault.UNREACHABLE: "the phone is switched off or out of reach",
    Fault.BLOCKED: "it was blocked on the way",
    "no_route": "the clinic's number may not text this phone",
    Fault.SENDER_FAULT: "the clinic's sending number needs attention",
    Fault.ACCOUNT_STOPPED: "the carrier has stopped the account",
    Fault.CONTENT: "the carrier refused the words",
    Fault.UNKNOWN: "the carrier gave no clear reason",
}

NEXT_STEPS: Mapping[str, str] = {
    Fault.NUMBER_INVALID: "Ask the patient for the right number.",
    Fault.NUMBER_CANNOT_TEXT: "Ask for a mobile number, or call instead.",
    Fault.NUMBER_DEAD: "Ask the patient for the new number.",
    Fault.UNREACHABLE: "Call the patient later today.",
    Fault.BLOCKED: "Call the patient; they may have blocked the clinic's texts.",
    "no_route": "Call the patient; texts from here cannot reach this phone.",
    Fault.OPTED_OUT: "Nothing to send: the patient opted out.",
    Fault.SENDER_FAULT: "Ask whoever runs the system to check the sending number.",
    Fault.ACCOUNT_STOPPED: "Ask whoever runs the system to check the carrier account.",
    Fault.CONTENT: "Check the words of this text under Templates.",
}
_S = MessageState
_NEXT_BY_STATE: Mapping[str, str] = {
    _S.AMBIGUOUS: "Nothing yet: we look for proof, and never send twice.",
    _S.UNRESOLVED: "It may or may not have arrived: decide under Delivery, and call the patient if it matters.",
}
# For those that came to their end without a reason of their own.
_CAUSE_BY_STATE: Mapping[str, str] = {
    _S.REJECTED: "the carrier refused it",
    _S.UNDELIVERED: "the carrier could not deliver it",
    _S.FAILED: "the carrier gave up on it",
}
NUMBER_CAUSES: Mapping[str, str] = {
    PhoneState.LANDLINE: "A landline, or another number that cannot receive texts. Nothing is sent to it.",
    PhoneState.DEAD: "No longer in service. Nothing is sent to it.",
    PhoneState.UNREACHABLE: "Switched off or out of reach at the last try. Texts are still sent.",
    PhoneState.QUARANTINED: "Somebody wrote that it is the wrong number. Nothing is sent to it.",
}
NUMBER_STEPS: Mapping[str, str] = {
    PhoneState.LANDLINE: "Ask the patient for a mobile number, or call instead.",
    PhoneState.DEAD: "Ask the patient for the new number.",
    PhoneState.UNREACHABLE: "Call the patient later today.",
    PhoneState.QUARANTINED: "Ask the patient whether the number is right.",
}
PAUSE_REASONS: Mapping[str, str] = {
    "": "Held without a reason on record.",
    Fault.SENDER_FAULT: "The carrier refuses this number: its registration or set-up needs attention.",
    Fault.ACCOUNT_STOPPED: "The carrier has stopped the account, or does not accept its credentials.",
}
DEFAULT_NEXT_STEP = "Call the patient if the text matters."

KINDS: Mapping[str, str] = {
    Kind.ADVICE: "Advice",
    Kind.CHECK_IN: "Check-in",
    Kind.NUDGE: "Reminder to answer",
    Kind.RECHECK: "Second check-in",
    Kind.REPLY: "Automatic answer",
    Kind.PERSONAL: "Written by a colleague",
    Kind.EMERGENCY: "Emergency answer",
    Kind.CONFIRMATION: "Confirmation",
    Kind.STAFF_NOTICE: "Text to staff",
    Kind.STAFF_CALL: "Call to staff",
}

STEPS: Mapping[str, str] = {
    "heat": "Heat advice",
    "exercise": "Exercise advice",
    "otc": "Pain medicine advice",
    "check_in": "Soreness check-in",
    "nudge": "Reminder to answer",
    "recheck": "Second check-in",
}

TEXTS: Mapping[str, str] = {
    "advice_heat": "Heat advice",
    "advice_exercise": "Exercise advice",
    "advice_otc": "Pain medicine advice",
    "check_in": "Soreness check-in",
    "nudge": "Reminder to answer",
    "recheck": "Second check-in",
    "emergency": "Emergency answer",
    "emergency_self_harm": "Emergency answer, self-harm",
    "urgent_call_you": "A clinician will call you",
    "ladder_exhausted_patient": "Nobody on call answered",
    "told_your_pt": "Your PT has been told",
    "told_your_pt_follow_up": "Your PT has been told, with a question",
    "thanks_resolved": "Thanks, all is well",
    "question_received": "Question received",
    "ask_number_again": "Please send a number",
    "person_will_look": "A person will look",
    "check_in_closed_thanks": "Answer after the check-in closed",
    "clinician_acknowledged": "A clinician has your case",
    "call_announced": "Who will call, and by when",
    "opt_out_confirmed": "Opt-out confirmed",
    "opt_in_confirmed": "Opt-in confirmed",
    "help": "Help",
    "which_person": "Whom is it about?",
    "wrong_number": "Wrong number",
    "unknown_number": "Unknown number",
    "quick_call_us": "Please call us",
    "quick_will_call": "We will call you today",
    "quick_visit": "Let us look at it",
    "staff_notice": "Text to staff",
    "staff_call": "Call to staff",
    "staff_acknowledged": "Thanks for taking it",
    "staff_code_unknown": "Code not known",
    "consent_disclosure": "Words of consent",
}

REASONS: Mapping[str, str] = {
    "red_flag": "Danger sign",
    "persists": "Soreness persists",
    "silence": "No answer after deep needling",
    "unreadable": "A text that we could not read",
    "wrong_number": "Somebody else has the phone",
    "anothers_danger": "Somebody is unwell, perhaps the patient",
}

GROUNDS: Mapping[str, str] = {
    "high_score": "the number is high",
    "more_than_before": "more than in the last answer",
    "more_than_usual": "more than after earlier sessions",
    "above_expected": "more than expected after this technique, in this place, so long after it",
    "says_worse": "they say that it gets worse",
    "still_at_recheck": "still there when asked again",
}
CONSIDER: Mapping[str, str] = {
    "superficial_next_time": "It was deep needling: superficial technique next time?",
}

FLAGS: Mapping[str, str] = {
    "breathing": "breathing",
    "chest_pain": "chest pain",
    "bleeding": "bleeding",
    "infection": "infection signs",
    "allergic": "allergic reaction",
    "neuro": "numbness or weakness",
    "fainting": "fainting",
    "severe_pain": "unbearable pain",
    "self_harm": "self-harm",
    "other": "another serious sign",
}

INTENTS: Mapping[str, str] = {
    "red_flag": "a danger sign",
    "opt_out": "wants no more texts",
    "opt_in": "wants the texts",
    "help": "asks who is writing",
    "persists": "still sore",
    "resolved": "fine",
    "question": "a question",
    "unclear": "not clear",
}

SILENT_CAUSES: Mapping[str, str] = {
    "": "No answer came.",
    "delivered_but_quiet": "The text arrived; no answer came.",
    "not_delivered": "The text did not arrive.",
    "no_receipt": "We do not know whether the text arrived.",
    "phone_landline": "The number cannot receive texts.",
    "phone_dead": "The number is no longer in service.",
    "phone_unreachable": "The phone was switched off or out of reach.",
    "phone_quarantined": "The number was reported as a wrong one.",
    "whose_answer": "An answer came, but two patients share the phone, and nobody said whose it was.",
}

INBOX_REASONS: Mapping[str, str] = {
    "": "Waits for a reader",
    "question": "Asks a question",
    "unclear": "Not understood",
    "unknown_number": "From a number no patient has",
    "not_sure": "We are not sure what it means",
    "photo": "Sent a picture",
    "unreadable": "Could not be read by us",
    "not_handled": "Could not be handled by us",
    "staff_text": "From a member of staff",
    "whose_answer": "Two patients share this phone",
    "many_texts": "Many texts in a short time; we have stopped answering",
    "cut_short": "A part of it was lost on the way",
    "wrong_number": "Somebody else may have this phone",
}

SCREENING: Mapping[str, str] = {
    "bleeding_disorder": "Bleeding disorder",
    "anticoagulant": "Takes blood thinners",
    "nsaid_allergy": "Allergic to ibuprofen or aspirin",
    "ulcer": "Stomach ulcer",
    "kidney_disease": "Kidney disease",
    "liver_disease": "Liver disease",
    "pregnancy": "Pregnant",
    "metal_allergy": "Metal allergy",
    "reduced_sensation": "Reduced feeling in the area",
    "pacemaker": "Pacemaker",
}

TECHNIQUES: Mapping[str, str] = dict(Technique.choices)
OUTCOMES: Mapping[str, str] = dict(CheckIn.Outcome.choices)
CASE_OUTCOMES: Mapping[str, str] = dict(Escalation.Outcome.choices)
LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Spanish"}
CONSENT_METHODS: Mapping[str, str] = {
    "intake_form": "on the intake form",
    "paper_form": "on a signed form",
    "web_form": "on a web form",
    "verbal": "said in person",
    "keyword_start": "by texting START",
    "keyword_stop": "by texting STOP",
    "carrier": "told by the carrier",
}
VIA: Mapping[str, str] = {"page": "on the page", "sms": "by text", "call": "by a key on the call"}


def plain(code: str) -> str:
    """Return an unlisted code in its own words: `too_many_parts` becomes "too many parts"."""
    return code.replace("_", " ").replace("-", " ").strip()


def say(code: str, table: Mapping[str, str]) -> str:
    """Return the words for a code, or the code in plain words, beginning with a capital."""
    words = table.get(code) or plain(code)
    return words[:1].upper() + words[1:]


def rule_name(rule: str) -> str:
    """Return the name of a reading rule in words: "breathing.short_of_breath" becomes "breathing, short of breath"."""
    return plain(rule.replace(".", ", ").replace(":", ", "))


def state_reason(message: Message) -> str:
    """Return why a message stands where it stands, as the end of a sentence; empty where there is nothing to say."""
    if message.reason.startswith("unknown_"):
        return "no clear answer came from the carrier"
    return STATE_REASONS.get(message.reason) or plain(message.reason)


def next_step(message: Message) -> str:
    """Return what a person can do about a text that did not arrive."""
    return NEXT_STEPS.get(message.reason) or _NEXT_BY_STATE.get(message.state) or DEFAULT_NEXT_STEP


def missed_cause(message: Message) -> str:
    """Return why a patient did not get a text, as a sentence. There is always something to say."""
    cause = state_reason(message) or _CAUSE_BY_STATE.get(message.state) or STATE_REASONS[Fault.UNKNOWN]
    sentence = f"{cause[:1].upper()}{cause[1:]}."
    return f"{sentence} It was the second try." if is_second_attempt(message) else sentence


def in_place_of(message: Message) -> str:
    """Return why a text takes the place of an earlier one, as a sentence; empty where it takes nobody's."""
    if message.sends_again_id is None:
        return ""
    if is_second_attempt(message):
        return "Second try, because the first one did not arrive."
    return "Sent again by the clinic, because nobody knew whether the first one arrived."


def regions(codes: list[str]) -> str:
    """Return body regions as a list in words."""
    return ", ".join(plain(code) for code in codes)


def message_title(message: Message) -> str:
    """Return what a message is, by its step where it has one, else by its kind."""
    return say(message.step_key, STEPS) if message.step_key else say(message.kind, KINDS)


def case_name(escalation: Escalation) -> str:
    """Return whose case it is; a danger sign can come from a number nobody knows."""
    return escalation.patient.display_name if escalation.patient else "Unknown number"


def text_title(key: str) -> str:
    """Return the name of a text of the catalogue."""
    return say(key, TEXTS)
