"""What every text obeys that takes the place of one that left before: its cause, its phone, quiet hours and expiry.

Who writes one holds its cause first (`lock_cause`), so that a void, a correction or a newer session is before or after
it. The commit point asks for consent and expiry once more before it leaves.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from reminders.clinic.consent import GRANTED, REVOKED, newest_decision
from reminders.clinic.errors import NotFoundError
from reminders.clinic.models import Clinic, PatientPhone, PhoneState, TreatmentSession
from reminders.clinic.selectors import has_newer_session
from reminders.clinic.turns import plans_of, take_turn
from reminders.core.quiet_hours import QuietWindow, next_open
from reminders.messaging.cancelling import COURSE
from reminders.messaging.models import AftercarePlan, ConsentRule, Kind, Message

_KEPT = (
    *("clinic_id", "patient_id", "clinician_id", "treatment_session_id", "plan_id", "step_key", "occurrence"),
    *("in_reply_to_id", "escalation_id", "kind", "channel", "priority", "sender_id", "language"),
    *("template_version_id", "body", "segments", "consent_rule", "unknown_policy", "quiet_exempt", "introduces"),
)


def lock_cause(*, message_id: int, clinic: Clinic) -> None:
    """Hold what could take the text back at this moment, in the order planning does: turn, session, plan.

    Raises NotFoundError for another clinic's message.
    """
    found = Message.objects.filter(pk=message_id, clinic=clinic).first()
    if found is None:
        raise NotFoundError("There is no such text.")
    if found.patient_id is not None:
        take_turn(clinic=clinic, topic=plans_of(found.patient_id))
    if found.treatment_session_id is not None:
        TreatmentSession.objects.select_for_update(of=("self",), no_key=True).get(pk=found.treatment_session_id)
    if found.plan_id is not None:
        AftercarePlan.objects.select_for_update(of=("self",), no_key=True).get(pk=found.plan_id)


def number_for(message: Message) -> str:
    """Return where it goes: texts of a treatment to the patient's present number, answers to who wrote."""
    if message.kind not in COURSE or message.patient is None:
        return message.to_number
    phone = message.patient.phones.filter(is_primary=True).first()
    return phone.number if phone else message.to_number


def problem_with_the_cause(message: Message) -> str:
    """Return why what it belongs to does not want it any more, as a sentence; empty where it does."""
    session, plan = message.treatment_session, message.plan
    is_advice = message.kind == Kind.ADVICE
    if session is not None and session.status != TreatmentSession.Status.COMPLETED:
        return "The session was taken back, so nothing of it is sent."
    if is_advice and plan is not None and plan.state == AftercarePlan.State.WITHHELD:
        return "A danger sign was reported, so the advice of this session is withheld."
    if is_advice and session is not None and has_newer_session(treatment_session=session):
        return "A newer session’s advice takes its place."
    if message.withdrawn:
        return "It was taken back while it was on its way, so it is not sent again."
    return ""


def problem_with_the_phone(message: Message, number: str) -> str:
    """Return why this number must not get it, as a sentence; empty where it may."""
    phones = PatientPhone.objects.filter(clinic=message.clinic, patient=message.patient, number=number)
    if phones.exclude(state__in=[PhoneState.OK, PhoneState.UNREACHABLE]).exists():
        return "The patient’s number cannot be texted; see the failing numbers."
    if message.consent_rule == ConsentRule.NONE:
        return ""
    newest = newest_decision(message.clinic, number)
    if newest is not None and newest.decision == REVOKED:
        return "The patient has opted out of texts."
    if message.consent_rule == ConsentRule.GRANTED and (newest is None or newest.decision != GRANTED):
        return "The patient has not agreed to texts on this number."
    return ""


def copy_of(message: Message, *, number: str, dedupe_key: str, not_before: datetime, now: datetime) -> Message | None:
    """Build the new row, unsaved: all that was decided about the old one, and nothing of what became of it.

    It is due at `not_before` or when quiet hours are over, and expires when the old one does; None where that is first.
    """
    again = Message(
        sends_again=message,
        dedupe_key=dedupe_key,
        to_number=number,
        first_due_at=message.first_due_at,
        due_at=_open_at(message, not_before),
        expires_at=message.expires_at,
        created_at=now,
        changed_at=now,
        **{name: getattr(message, name) for name in _KEPT},
    )
    return again if again.due_at < again.expires_at else None


def _open_at(message: Message, at: datetime) -> datetime:
    if message.quiet_exempt:
        return at
    clinic, patient = message.clinic, message.patient
    zone = ZoneInfo(patient.timezone if patient is not None and patient.timezone else clinic.timezone)
    return next_open(at=at, zone=zone, quiet=QuietWindow(clinic.quiet_start, clinic.quiet_end))
