"""Writing message rows. A row that commits is a promise; nothing here talks to a carrier."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.clinic.phones import format_phone
from reminders.content.models import TemplateVersion
from reminders.content.selectors import clinic_values, published_text
from reminders.core.advice import AdviceDecision
from reminders.core.rendering import compile_text, render
from reminders.core.segments import count_segments
from reminders.core.states import MessageState
from reminders.messaging.errors import NoSenderError
from reminders.messaging.models import PRIORITY, AftercarePlan, ConsentRule, Kind, Message, Sender, UnknownPolicy

# An automatic answer that is an hour late answers nothing; the opt-out confirmation must leave within 5 minutes
# (47 CFR 64.1200(a)(12)), or not at all.
REPLY_EXPIRES = timedelta(hours=1)
CONFIRMATION_EXPIRES = timedelta(minutes=5)
# A text laid out for the very moment it expires still gets the time that sending takes.
SEND_GRACE = timedelta(minutes=5)
STAFF_EXPIRES = timedelta(hours=12)
# What a colleague wrote in the evening leaves in the morning; half a day after that it answers nothing any more.
PERSONAL_EXPIRES = timedelta(hours=12)


# Consent, priority, policy for the unknown, and quiet hours belong to the kind of message, written down once.
@dataclass(frozen=True, slots=True)
class Policy:
    """How one kind of message travels."""

    priority: int
    consent_rule: ConsentRule
    unknown_policy: UnknownPolicy
    quiet_exempt: bool
    expires_after: timedelta


_SETTLE, _RESEND = UnknownPolicy.SETTLE, UnknownPolicy.RESEND
POLICIES: Mapping[Kind, Policy] = {
    Kind.EMERGENCY: Policy(PRIORITY["urgent"], ConsentRule.NOT_REVOKED, _RESEND, True, REPLY_EXPIRES),
    Kind.STAFF_NOTICE: Policy(PRIORITY["urgent"], ConsentRule.NONE, _RESEND, True, STAFF_EXPIRES),
    Kind.STAFF_CALL: Policy(PRIORITY["urgent"], ConsentRule.NONE, _RESEND, True, STAFF_EXPIRES),
    Kind.CONFIRMATION: Policy(PRIORITY["reply"], ConsentRule.NONE, _SETTLE, True, CONFIRMATION_EXPIRES),
    Kind.REPLY: Policy(PRIORITY["reply"], ConsentRule.NOT_REVOKED, _SETTLE, True, REPLY_EXPIRES),
    Kind.PERSONAL: Policy(PRIORITY["reply"], ConsentRule.GRANTED, _SETTLE, False, PERSONAL_EXPIRES),
    Kind.CHECK_IN: Policy(PRIORITY["check_in"], ConsentRule.GRANTED, _SETTLE, False, timedelta()),
    Kind.RECHECK: Policy(PRIORITY["check_in"], ConsentRule.GRANTED, _SETTLE, False, timedelta()),
    Kind.NUDGE: Policy(PRIORITY["check_in"], ConsentRule.GRANTED, _SETTLE, False, timedelta()),
    Kind.ADVICE: Policy(PRIORITY["advice"], ConsentRule.GRANTED, _SETTLE, False, timedelta()),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered text with the version it came from; None where a built-in text stood in."""

    body: str
    version: TemplateVersion | None
    language: str


@dataclass(frozen=True, slots=True)
class Link:
    """What a message belongs to; every part is optional."""

    patient: Patient | None = None
    clinician: Clinician | None = None
    treatment_session: TreatmentSession | None = None
    plan: AftercarePlan | None = None
    step_key: str = ""
    in_reply_to_id: int | None = None
    escalation_id: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


def words_for(*, clinic: Clinic, key: str, language: str, values: Mapping[str, object]) -> Words:
    """Render the text in force for `key`. Raises MissingTextError, or TemplateError where a value is missing."""
    version = published_text(clinic=clinic, key=key, language=language)
    body = render(compile_text(version.body), values=values_for(clinic=clinic, language=language, values=values))
    return Words(body=body, version=version, language=language)


def values_for(*, clinic: Clinic, language: str, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values a text is rendered with: cautious defaults, the clinic's, and those given."""
    defaults: dict[str, object] = {"is_first": False, "first_name": "", "heat_ok": False, "drug": "none"}
    common = clinic_values(clinic=clinic, language=language, formatted_phone=format_phone(clinic.phone))
    return {**defaults, **common, **values}


def course_values(*, treatment_session: TreatmentSession, advice: AdviceDecision, is_first: bool) -> dict[str, object]:
    """Return what the texts of one session may say of it."""
    return said_of(
        technique=treatment_session.technique,
        first_name=treatment_session.patient.given_name,
        advice=advice,
        is_first=is_first,
    )


def said_of(*, technique: str, first_name: str, advice: AdviceDecision, is_first: bool) -> dict[str, object]:
    """Return the values that a session brings to its texts."""
    return {
        "technique": technique,
        "heat_ok": advice.heat_ok,
        "drug": advice.drug.value,
        "is_first": is_first,
        "first_name": first_name,
    }


def default_sender(*, clinic: Clinic) -> Sender:
    """Return the number a clinic texts from. Raises NoSenderError where it has none."""
    sender = clinic.senders.order_by("id").first()
    if sender is None:
        raise no_sender()
    return sender


def no_sender() -> NoSenderError:
    """Return the error for a clinic that has no number to text from."""
    return NoSenderError("The clinic has no number to text from; add a sender under Set-up.")


def new_message(
    *,
    clinic: Clinic,
    kind: Kind,
    words: Words,
    sender: Sender,
    to_number: str,
    due_at: datetime,
    now: datetime,
    link: Link,
    expires_at: datetime | None = None,
    channel: str = "sms",
    dedupe_key: str = "",
) -> Message:
    """Build a message row by the policy of its kind, unsaved."""
    policy = POLICIES[kind]
    ignores_opt_out = kind is Kind.EMERGENCY and clinic.emergency_text_after_opt_out
    return Message(
        clinic=clinic,
        patient=link.patient,
        clinician=link.clinician,
        treatment_session=link.treatment_session,
        plan=link.plan,
        step_key=link.step_key,
        in_reply_to_id=link.in_reply_to_id,
        escalation_id=link.escalation_id,
        dedupe_key=dedupe_key,
        kind=kind,
        channel=channel,
        priority=policy.priority,
        sender=sender,
        to_number=to_number,
        language=words.language,
        template_version=words.version,
        body=words.body,
        segments=count_segments(words.body).segments if channel == "sms" else 1,
        consent_rule=ConsentRule.NONE if ignores_opt_out else policy.consent_rule,
        unknown_policy=policy.unknown_policy,
        quiet_exempt=policy.quiet_exempt,
        state=MessageState.SCHEDULED,
        first_due_at=due_at,
        due_at=due_at,
        expires_at=expires_at or due_at + policy.expires_after,
        created_at=now,
        changed_at=now,
    )


def store(message: Message) -> Message:
    """Insert the row unless its dedupe key or plan step already has one; return the row that stands."""
    stored = Message.objects.bulk_create([message], ignore_conflicts=True)[0]
    existing = Message.objects.filter(clinic=message.clinic)
    if message.dedupe_key:
        stored = existing.get(dedupe_key=message.dedupe_key)
    elif message.plan is not None:
        stored = existing.get(
            plan=message.plan, step_key=message.step_key, occurrence=message.occurrence, sends_again=None
        )
    announce()
    return stored


def announce() -> None:
    """Tell the schedulers, when this transaction commits, that something may be due now."""
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY reminders_outbox")
