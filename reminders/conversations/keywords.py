"""STOP, START and HELP, by keyword or in plain words: settled while the carrier waits."""

import re
from datetime import datetime

from reminders.clinic.consent import KEYWORD_START, grant_consent, revoke_consent
from reminders.clinic.models import Clinic
from reminders.conversations.models import InboundMessage
from reminders.conversations.replies import answer
from reminders.core.understanding import Intent, Reading, read
from reminders.messaging.models import Kind

_PARTS = re.compile(r"[.,;:!?\n]+")


def wants_out(inbound: InboundMessage, reading: Reading) -> bool:
    """Tell whether a text ends the texts.

    A danger sign outranks that in the reading, and both happen: then plain words count wherever they stand, and a
    keyword where it stands alone between marks ("STOP, chest pain").
    """
    if inbound.opt_out_type == "STOP" or reading.intent is Intent.OPT_OUT:
        return True
    if reading.intent is not Intent.RED_FLAG:
        return False
    in_words = any(because.rule.startswith("opt_out.") for because in reading.because)
    return in_words or any(read(part).intent is Intent.OPT_OUT for part in _PARTS.split(inbound.body))


def opt_out(*, inbound: InboundMessage, clinic: Clinic, language: str, now: datetime) -> None:
    """End the texts to this phone, for everybody who shares it, and confirm once.

    Nothing is confirmed where the carrier has answered on its own (it says so), nor to who had opted out before.
    """
    by_carrier = inbound.opt_out_type == "STOP"
    is_new = revoke_consent(
        clinic=clinic,
        number=inbound.from_number,
        method="carrier_keyword" if by_carrier else "text",
        now=now,
        patient=inbound.patient,
    )
    if is_new and not by_carrier:
        _confirm(inbound, "opt_out_confirmed", language, now)


def opt_in(*, inbound: InboundMessage, clinic: Clinic, language: str, now: datetime) -> None:
    """Take a known phone's opt-out back. Texts that were cancelled stay cancelled."""
    grant_consent(clinic=clinic, number=inbound.from_number, method=KEYWORD_START, now=now, patient=inbound.patient)
    if not inbound.opt_out_type:
        _confirm(inbound, "opt_in_confirmed", language, now)


def give_help(*, inbound: InboundMessage, language: str, now: datetime) -> None:
    """Say who writes and how to stop, also to who opted out or is unknown."""
    if not inbound.opt_out_type:
        _confirm(inbound, "help", language, now)


def _confirm(inbound: InboundMessage, key: str, language: str, now: datetime) -> None:
    answer(inbound=inbound, key=key, kind=Kind.CONFIRMATION, patient=inbound.patient, language=language, now=now)
