"""Consent: dated decisions per number and channel, the newest of which counts.

Rows are only ever appended. All decisions about one number go through here and take turns, so that of a STOP and a
form that arrive together the STOP is never the one that is overtaken.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from reminders.clinic import audit, events
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, ConsentRecord, Patient
from reminders.clinic.turns import take_turn

KEYWORD_START: Final = "keyword_start"
"""The method of a grant that the patient texted: the only one that takes back the patient's own opt-out."""

GRANTED: Final = ConsentRecord.Decision.GRANTED
REVOKED: Final = ConsentRecord.Decision.REVOKED


def turn_topic(*, number: str, channel: str = "sms") -> str:
    """Return the topic on which decisions about one number take turns (see clinic.turns)."""
    return f"consent:{channel}:{number}"


def newest_decision(clinic: Clinic, number: str, channel: str = "sms") -> ConsentRecord | None:
    """Return the decision that counts for this number (E.164) and channel, or None where nobody ever asked."""
    return ConsentRecord.objects.filter(clinic=clinic, number=number, channel=channel).order_by("-id").first()


def is_patients_own(decision: ConsentRecord) -> bool:
    """Tell whether a decision came from the phone itself rather than from a member of staff who recorded it."""
    return decision.recorded_by_id is None


def grant_consent(
    *,
    clinic: Clinic,
    number: str,
    method: str,
    now: datetime,
    patient: Patient | None = None,
    clinician: Clinician | None = None,
    actor: AuditEvent.Actor | None = None,
    disclosure: str = "",
    channel: str = "sms",
    agreed_at: datetime | None = None,
    over_opt_out: bool = True,
    trail: list[AuditEvent] | None = None,
) -> bool:
    """Append a grant unless the newest decision is one already; return whether a row was added.

    `number` is E.164, `disclosure` the words the patient agreed to, `agreed_at` when they did where it was not just
    now. The audit event is added to `trail` where one is given, for the caller to write with others. Raises
    ConflictError where the patient's own opt-out counts and `method` is not `keyword_start`, and, with
    `over_opt_out=False` (a tick on a form that may be older), where any opt-out counts.
    """
    # Without a savepoint, which costs an intake two round trips: nothing is written before it is refused.
    with transaction.atomic(savepoint=False):
        take_turn(clinic=clinic, topic=turn_topic(number=number, channel=channel))
        newest = newest_decision(clinic, number, channel)
        if newest is not None and newest.decision == GRANTED:
            return False
        refusal = "" if newest is None else _refusal(newest, method=method, over_opt_out=over_opt_out)
        if not refusal:
            record = ConsentRecord.objects.create(
                clinic=clinic,
                patient=patient,
                number=number,
                channel=channel,
                decision=GRANTED,
                method=method,
                disclosure=disclosure,
                recorded_at=agreed_at or now,
                recorded_by=clinician,
            )
            event = _event(record, verb="consent_granted", actor=actor, now=now)
            if trail is None:
                event.save(force_insert=True)
            else:
                trail.append(event)
    if refusal:
        raise ConflictError(refusal)
    return True


def revoke_consent(
    *,
    clinic: Clinic,
    number: str,
    method: str,
    now: datetime,
    patient: Patient | None = None,
    clinician: Clinician | None = None,
    actor: AuditEvent.Actor | None = None,
    channel: str = "sms",
) -> bool:
    """Append an opt-out and, for texts, send `consent_revoked` in the same transaction; return whether a row was added.

    A second opt-out adds nothing, except the patient's own after one that staff recorded: from then on only the
    patient can take it back.
    """
    with transaction.atomic():
        take_turn(clinic=clinic, topic=turn_topic(number=number, channel=channel))
        newest = newest_decision(clinic, number, channel)
        if newest is not None and newest.decision == REVOKED and (is_patients_own(newest) or clinician is not None):
            return False
        record = ConsentRecord.objects.create(
            clinic=clinic,
            patient=patient,
            number=number,
            channel=channel,
            decision=REVOKED,
            method=method,
            recorded_at=now,
            recorded_by=clinician,
        )
        _event(record, verb="consent_revoked", actor=actor, now=now).save(force_insert=True)
        if channel == "sms":
            events.consent_revoked.send(sender=ConsentRecord, clinic=clinic, number=number, now=now)
    return True


def _refusal(opt_out: ConsentRecord, *, method: str, over_opt_out: bool) -> str:
    """Return why a grant cannot take back this opt-out, or nothing where it can."""
    if is_patients_own(opt_out) and method != KEYWORD_START:
        return "The patient opted out by text; only a START from their phone takes it back."
    return "" if over_opt_out else "An opt-out is on file; staff take it back on the patient's page."


def _event(record: ConsentRecord, *, verb: str, actor: AuditEvent.Actor | None, now: datetime) -> AuditEvent:
    by_staff = AuditEvent.Actor.CLINICIAN if record.recorded_by else AuditEvent.Actor.PATIENT
    return audit.event(
        clinic=record.clinic,
        actor=actor or by_staff,
        verb=verb,
        subject=record,
        now=now,
        clinician=record.recorded_by,
        patient=record.patient,
        method=record.method,
        channel=record.channel,
    )
