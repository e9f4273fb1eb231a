"""How a state looks: always an icon, a word and a colour together."""

from collections.abc import Mapping
from dataclasses import dataclass

from reminders.clinic.models import PhoneState
from reminders.core.states import MessageState, Severity
from reminders.core.threshold_replay import Effect
from reminders.insights.readiness import Standing


@dataclass(frozen=True, slots=True)
class Tone:
    """A word, the icon beside it, and the colour's name in the style sheet."""

    word: str
    icon: str
    colour: str


SEVERITIES: Mapping[str, Tone] = {
    Severity.URGENT: Tone("Urgent", "alarm", "urgent"),
    Severity.SAME_DAY: Tone("Same day", "clock", "same-day"),
    Severity.ROUTINE: Tone("Routine", "list", "routine"),
}

_S = MessageState
MESSAGE_STATES: Mapping[str, Tone] = {
    _S.SCHEDULED: Tone("Planned", "clock", "quiet"),
    _S.CLAIMED: Tone("Leaving now", "send", "routine"),
    _S.SENDING: Tone("Leaving now", "send", "routine"),
    _S.ACCEPTED: Tone("With the carrier", "send", "routine"),
    _S.SENT: Tone("Sent", "check", "routine"),
    _S.DELIVERED: Tone("Delivered", "check", "good"),
    _S.UNDELIVERED: Tone("Not delivered", "cross", "urgent"),
    _S.FAILED: Tone("Failed", "cross", "urgent"),
    _S.REJECTED: Tone("Refused by the carrier", "cross", "urgent"),
    _S.AMBIGUOUS: Tone("Not known yet", "question", "same-day"),
    _S.UNRESOLVED: Tone("Never confirmed", "question", "same-day"),
    _S.REPLACED: Tone("Sent again", "send", "quiet"),
    _S.CANCELLED: Tone("Cancelled", "minus", "quiet"),
    _S.EXPIRED: Tone("Too late, not sent", "minus", "quiet"),
    _S.SUPPRESSED: Tone("Withheld", "minus", "quiet"),
}

CLOSED = Tone("Closed", "check", "good")
IN_HANDS = Tone("In somebody’s hands", "hand", "good")
ASIDE = Tone("Put aside", "clock", "quiet")
BACK = Tone("Time to look again", "clock", "same-day")
IN_USE = Tone("In use", "check", "good")
PLAYS_SO = Tone("Plays so", "check", "good")
PLAYS_DIFFERENTLY = Tone("Differs", "alarm", "same-day")
EFFECTS: Mapping[str, Tone] = {
    Effect.SAVED: Tone("Call saved", "minus", "quiet"),
    Effect.LATER: Tone("Later", "clock", "same-day"),
    Effect.SOONER: Tone("Sooner", "clock", "routine"),
    Effect.ADDED: Tone("Call besides", "plus", "routine"),
}
TAKEN_BACK = Tone("Taken back", "minus", "quiet")
RUNNING = Tone("Sending", "check", "good")
HELD = Tone("Held", "minus", "urgent")
NUMBERS: Mapping[str, Tone] = {
    PhoneState.LANDLINE: Tone("Landline", "phone", "urgent"),
    PhoneState.DEAD: Tone("Not in service", "cross", "urgent"),
    PhoneState.UNREACHABLE: Tone("Out of reach", "question", "same-day"),
    PhoneState.QUARANTINED: Tone("Wrong number", "alarm", "urgent"),
}
CONSENTS: Mapping[str, Tone] = {
    "granted": Tone("Agreed", "check", "good"),
    "revoked": Tone("Opted out", "minus", "same-day"),
    "": Tone("Not asked", "question", "quiet"),
}
CODES_ON = Tone("On", "shield", "good")
CODES_OFF = Tone("Off", "minus", "quiet")
SWITCHED_OFF = Tone("Switched off", "minus", "quiet")
SIGNED_IN = Tone("Signed in", "check", "good")
INVITED = Tone("Invited", "send", "routine")
LINK_OVER = Tone("Link has expired", "clock", "same-day")
STANDINGS: Mapping[str, Tone] = {
    Standing.MISSING: Tone("Missing", "alarm", "same-day"),
    Standing.ADVISED: Tone("Could be better", "question", "routine"),
    Standing.DONE: Tone("Done", "check", "good"),
    Standing.OPTIONAL: Tone("If needed", "minus", "quiet"),
}
