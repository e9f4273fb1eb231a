"""Webhooks of calls: what is said, which key was pressed, how the call ended.

A call that was `completed` is not an acknowledgement, and neither is a voicemail: only the key is.
"""

from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from reminders import clock
from reminders.core.states import EscalationState
from reminders.escalations.errors import AlreadyTakenError
from reminders.escalations.models import Escalation
from reminders.escalations.services import acknowledge
from reminders.messaging.models import Message
from reminders.messaging.status import record_status
from reminders.webhooks.signed import form_of, signed, twiml

TAKE_KEY = "1"
# A machine that plays tones must not be talked to for hours.
MOST_WRONG_KEYS = 3
VOICE = {"en": "en-US", "es": "es-MX"}
THANKS = {"en": "Thank you. This case is yours.", "es": "Gracias. Este caso es suyo."}
TAKEN = {
    "en": "Thank you. A colleague has already taken this case.",
    "es": "Gracias. Otra persona ya tomó este caso.",
}
WRONG = {"en": "That key does nothing.", "es": "Esa tecla no hace nada."}
BYE = {"en": "That key does nothing. Goodbye.", "es": "Esa tecla no hace nada. Adiós."}


def _call(public_id: UUID) -> Message:
    message = (
        Message.objects.select_related("clinic", "clinician", "escalation")
        .filter(public_id=public_id, channel="voice", escalation__isnull=False, clinician__isnull=False)
        .first()
    )
    if message is None:
        raise Http404
    return message


def _document(message: Message, *, ask: bool, first: str = "", wrong_keys: int = 0) -> str:
    """Say something and, where asked, wait for the key twice; then hang up. Written out, so the loop is bounded."""
    voice = VOICE.get(message.language, VOICE["en"])

    def say(words: str) -> str:
        return f'<Say language="{voice}">{escape(words)}</Say>' if words else ""

    if not ask:
        return f"<Response>{say(first)}<Hangup/></Response>"
    action = settings.PUBLIC_BASE_URL.rstrip("/") + reverse("voice-key", args=[message.public_id])
    action += f"?wrong={wrong_keys}" if wrong_keys else ""
    gather = f'<Gather input="dtmf" numDigits="1" timeout="8" action={quoteattr(action)}>{say(message.body)}</Gather>'
    return f"<Response>{say(first)}{gather}{gather}<Hangup/></Response>"


@signed
def answered(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say what the call is about and wait for the key; without names, numbers or words of anybody."""
    message = _call(public_id)
    if not _is_open(message):
        return twiml(_document(message, ask=False, first=TAKEN[message.language]))
    return twiml(_document(message, ask=True))


def _is_open(message: Message) -> bool:
    return message.escalation is not None and message.escalation.state == EscalationState.OPEN


@signed
def key(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take the case for the person who was called when they press the key; any other key asks again, a few times."""
    message = _call(public_id)
    escalation: Escalation | None = message.escalation
    if escalation is None or message.clinician is None:
        raise Http404
    if form_of(request).get("Digits") != TAKE_KEY:
        return twiml(_after_wrong_key(message, request.GET.get("wrong", "")))
    try:
        acknowledge(
            escalation_id=escalation.pk,
            clinic=message.clinic,
            clinician=message.clinician,
            via="call",
            now=clock.now(),
        )
    except AlreadyTakenError:
        return twiml(_document(message, ask=False, first=TAKEN[message.language]))
    return twiml(_document(message, ask=False, first=THANKS[message.language]))


def _after_wrong_key(message: Message, earlier: str) -> str:
    wrong_keys = (int(earlier) if earlier.isdecimal() else 0) + 1
    if not _is_open(message):
        return _document(message, ask=False, first=TAKEN[message.language])
    if wrong_keys >= MOST_WRONG_KEYS:
        return _document(message, ask=False, first=BYE[message.language])
    return _document(message, ask=True, first=WRONG[message.language], wrong_keys=wrong_keys)


@signed
def status(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Store how a call went; busy or unanswered changes nothing for the ladder, which goes on by its own clock."""
    form = form_of(request)
    record_status(
        public_id=public_id,
        carrier_sid=form.get("CallSid") or "",
        status=form.get("CallStatus") or "",
        error_code=None,
        now=clock.now(),
        channel="voice",
    )
    return HttpResponse(status=204)
