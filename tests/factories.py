"""Rows for tests: the same few parts play in all stories.

Each function makes one noun with what it cannot live without, and takes by keyword only what a test wants to say.
`now` is the moment the story stands at; where a test does not care it is the present.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from reminders.clinic.models import (
    Clinic,
    Clinician,
    ConsentRecord,
    LadderRung,
    Patient,
    PatientPhone,
    ScreeningRecord,
    TreatmentSession,
)
from reminders.content.models import Protocol, ProtocolVersion, Step, Template, TemplateVersion
from reminders.conversations.models import CheckIn, InboundMessage, Understanding
from reminders.core.segments import count_segments
from reminders.core.states import REACHED_CARRIER, MessageState
from reminders.escalations.models import Escalation
from reminders.messaging.models import PRIORITY, AftercarePlan, ConsentRule, Kind, Message, Sender

PASSWORD: Final = "correct horse battery staple"
DISCLOSURE: Final = "The clinic may text me after a treatment. Message and data rates may apply. Reply STOP to end."
WEEKDAYS: Final = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
NOTHING_TO_REPORT: Final = dict.fromkeys(
    (
        "bleeding_disorder",
        "anticoagulant",
        "nsaid_allergy",
        "ulcer",
        "kidney_disease",
        "liver_disease",
        "pregnancy",
        "metal_allergy",
        "reduced_sensation",
        "pacemaker",
    ),
    False,
)

_numbers = count(1)


def _now(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)


def new_phone() -> str:
    """Return a number nobody else in this test run has; 555-01xx numbers belong to nobody outside either."""
    number = next(_numbers)
    return f"+1{(312, 773, 630, 847, 708)[number // 100 % 5]}5{50 + number // 500 % 50:02d}01{number % 100:02d}"


def make_clinic(*, name: str = "Northside Physio", slug: str = "", **fields: Any) -> Clinic:
    """A clinic in Chicago with weekday hours and one sender."""
    number = next(_numbers)
    clinic = Clinic.objects.create(
        **{
            "name": name,
            "slug": slug or f"clinic-{number}",
            "phone": new_phone(),
            "booking_url": "https://northside.example/book",
            "timezone": "America/Chicago",
            "opening_hours": WEEKDAYS,
            "reply_hours": "weekdays 8 am to 6 pm",
            **fields,
        }
    )
    clinic.refresh_from_db()  # so that quiet hours are times, as every reader finds them
    Sender.objects.create(clinic=clinic, number=new_phone(), parts_per_second=100)
    return clinic


def make_clinician(*, clinic: Clinic, role: str = "therapist", username: str = "", **fields: Any) -> Clinician:
    """A member of staff who can log in with `PASSWORD`."""
    names = {
        "owner": ("Olivia", "Okafor"),
        "therapist": ("Theo", "Tran"),
        "front_desk": ("Fran", "Fields"),
        "viewer": ("Vic", "Vale"),
    }
    first_name, last_name = names[role]
    return Clinician.objects.create_user(
        username or f"{role}-{next(_numbers)}",
        "",
        PASSWORD,
        **{
            "clinic": clinic,
            "role": role,
            "first_name": first_name,
            "last_name": last_name,
            "phone": new_phone(),
            **fields,
        },
    )


@dataclass(frozen=True)
class Staff:
    """One member of staff per role."""

    owner: Clinician
    therapist: Clinician
    front_desk: Clinician
    viewer: Clinician


def make_staff(*, clinic: Clinic) -> Staff:
    """One clinician of each role."""
    return Staff(
        **{role: make_clinician(clinic=clinic, role=role) for role in ("owner", "therapist", "front_desk", "viewer")}
    )


def make_ladder(*, clinic: Clinic, clinicians: Sequence[Clinician], wait_minutes: int = 3) -> list[LadderRung]:
    """An on-call ladder: a text and then a call to each person in turn."""
    pairs = [(clinician, channel) for clinician in clinicians for channel in ("sms", "voice")]
    return [
        LadderRung.objects.create(
            clinic=clinic, position=position, clinician=clinician, channel=channel, wait_minutes=wait_minutes
        )
        for position, (clinician, channel) in enumerate(pairs, start=1)
    ]


def make_patient(
    *,
    clinic: Clinic,
    given_name: str = "Dana",
    family_name: str = "Reyes",
    phone: str = "",
    consented: bool = True,
    screening: Mapping[str, bool | None] | None = NOTHING_TO_REPORT,
    now: datetime | None = None,
    **fields: Any,
) -> Patient:
    """A patient with one phone, who agreed to texts and was screened (`screening=None`: nobody asked)."""
    at = _now(now) - timedelta(days=30)
    patient = Patient.objects.create(
        **{
            "clinic": clinic,
            "given_name": given_name,
            "family_name": family_name,
            "external_id": f"P-{next(_numbers):05d}",
            "timezone": clinic.timezone,
            "created_at": at,
            **fields,
        }
    )
    number = phone or new_phone()
    PatientPhone.objects.create(clinic=clinic, patient=patient, number=number)
    if consented:
        make_consent(patient=patient, now=at)
    if screening is not None:
        ScreeningRecord.objects.create(clinic=clinic, patient=patient, recorded_at=at, **screening)
    return patient


def phone_of(patient: Patient) -> str:
    """The patient's primary number."""
    return patient.phones.get(is_primary=True).number


def make_consent(
    *, patient: Patient, decision: str = "granted", method: str = "paper_form", now: datetime | None = None
) -> ConsentRecord:
    """One dated decision about the patient's primary number."""
    return ConsentRecord.objects.create(
        clinic=patient.clinic,
        patient=patient,
        number=phone_of(patient),
        decision=decision,
        method=method,
        disclosure=DISCLOSURE if decision == "granted" else "",
        recorded_at=_now(now),
    )


def make_treatment_session(
    *, patient: Patient, ended_at: datetime | None = None, now: datetime | None = None, **fields: Any
) -> TreatmentSession:
    """A finished visit that ended an hour ago, unless told otherwise."""
    at = _now(now)
    return TreatmentSession.objects.create(
        **{
            "clinic": patient.clinic,
            "patient": patient,
            "external_id": f"S-{next(_numbers):05d}",
            "technique": "deep",
            "regions": ["shoulder"],
            "ended_at": ended_at or at - timedelta(hours=1),
            "soreness_before": 5,
            "soreness_after": 3,
            "created_at": at,
            "updated_at": at,
            **fields,
        }
    )


DRY_NEEDLING: Final = (
    ("heat", "advice", 60, 720),
    ("exercise", "advice", 240, 720),
    ("otc", "advice", 360, 720),
    ("check_in", "check_in", 1440, 720),
    ("nudge", "nudge", 240, 960),
    ("recheck", "recheck", 1440, 720),
)
"""Key, kind, offset in minutes, expiry in minutes of the default protocol."""

WORDS: Final = {
    "heat": "{{ clinic_name }}: a warm pack for 15 minutes helps sore muscles tonight. Reply STOP to end texts.",
    "exercise": "Gentle movement helps: roll your shoulders ten times, slowly, every hour you are awake.",
    "otc": "If you are sore, a pain reliever that is safe for you may help. Follow the label.",
    "check_in": "How sore are you now, from 0 (none) to 10 (worst)? Reply with a number.",
    "nudge": "We did not hear from you. How sore are you now, 0 to 10?",
    "recheck": "Checking again: how sore are you today, 0 to 10?",
}
"""Plain English words for each step of the default protocol."""


def make_protocol(*, clinic: Clinic, key: str = "dry-needling", now: datetime | None = None) -> ProtocolVersion:
    """The default protocol, published as version 1; the same one again where the clinic has it."""
    existing = ProtocolVersion.objects.filter(protocol__clinic=clinic, protocol__key=key).first()
    if existing:
        return existing
    at = _now(now)
    protocol = Protocol.objects.create(clinic=clinic, key=key, name="Dry needling")
    version = ProtocolVersion.objects.create(clinic=clinic, protocol=protocol, number=1, created_at=at, published_at=at)
    for position, (step_key, kind, offset_minutes, expires_minutes) in enumerate(DRY_NEEDLING, start=1):
        Step.objects.create(
            clinic=clinic,
            protocol_version=version,
            position=position,
            key=step_key,
            kind=kind,
            template_key=f"advice_{step_key}" if kind == "advice" else step_key,
            offset_minutes=offset_minutes,
            when_quiet="later",
            expires_minutes=expires_minutes,
        )
    protocol.published = version
    protocol.save(update_fields=["published"])
    return version


def make_template(
    *, clinic: Clinic, key: str = "check_in", language: str = "en", body: str = "", now: datetime | None = None
) -> Template:
    """A text with its first version published."""
    at = _now(now)
    template = Template.objects.create(clinic=clinic, key=key, language=language)
    template.published = TemplateVersion.objects.create(
        clinic=clinic,
        template=template,
        number=1,
        body=body or WORDS.get(key.removeprefix("advice_"), "{{ clinic_name }}: thank you for your answer."),
        created_at=at,
        published_at=at,
    )
    template.save(update_fields=["published"])
    return template


def make_plan(
    *, treatment_session: TreatmentSession, now: datetime | None = None, states: Mapping[str, str] | None = None
) -> AftercarePlan:
    """A plan with its advice and its check-in as messages, due as the protocol says, quiet hours left aside.

    `states` gives a step another state than `scheduled`, by step key.
    """
    at = _now(now)
    clinic = treatment_session.clinic
    plan = AftercarePlan.objects.create(
        clinic=clinic,
        treatment_session=treatment_session,
        protocol_version=make_protocol(clinic=clinic, now=at),
        revision=treatment_session.revision,
        created_at=at,
    )
    for step_key, kind, offset_minutes, expires_minutes in DRY_NEEDLING:
        if kind in ("advice", "check_in"):
            due_at = treatment_session.ended_at + timedelta(minutes=offset_minutes)
            make_message(
                patient=treatment_session.patient,
                plan=plan,
                step_key=step_key,
                kind=kind,
                state=(states or {}).get(step_key, MessageState.SCHEDULED),
                due_at=due_at,
                expires_at=due_at + timedelta(minutes=expires_minutes),
                now=at,
            )
    treatment_session.planned_revision = treatment_session.revision
    treatment_session.save(update_fields=["planned_revision"])
    return plan


def make_message(
    *,
    patient: Patient | None = None,
    clinician: Clinician | None = None,
    plan: AftercarePlan | None = None,
    step_key: str = "",
    kind: str = Kind.ADVICE,
    state: str = MessageState.SCHEDULED,
    body: str = "",
    due_at: datetime | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Message:
    """One outgoing text to a patient, or to a clinician where no patient is named."""
    at = _now(now)
    due = due_at or at
    person = patient or clinician
    assert person is not None, "a message goes to somebody"
    to_number = phone_of(person) if isinstance(person, Patient) else person.phone
    body = body or WORDS.get(step_key, "Thank you. We told your PT.").replace("{{ clinic_name }}", person.clinic.name)
    left = state in REACHED_CARRIER or state in (MessageState.UNDELIVERED, MessageState.FAILED)
    return Message.objects.create(
        **{
            "clinic": person.clinic,
            "patient": patient,
            "clinician": clinician,
            "plan": plan,
            "treatment_session": plan.treatment_session if plan else None,
            "step_key": step_key,
            "dedupe_key": "" if plan else f"test:{next(_numbers)}",
            "kind": kind,
            "priority": PRIORITY.get(kind, PRIORITY["reply"]),
            "sender": Sender.objects.filter(clinic=person.clinic).first(),
            "to_number": to_number,
            "language": patient.language if patient else "en",
            "body": body,
            "segments": count_segments(body).segments,
            "consent_rule": ConsentRule.GRANTED if patient else ConsentRule.NONE,
            "state": state,
            "first_due_at": due,
            "due_at": due,
            "expires_at": due + timedelta(hours=12),
            "carrier_sid": f"SM{next(_numbers):032x}" if left else "",
            "accepted_at": due if left else None,
            "attempts": 1 if left else 0,
            "created_at": min(at, due),
            "changed_at": due if left else at,
            **fields,
        }
    )


def make_inbound(
    *,
    patient: Patient | None = None,
    clinic: Clinic | None = None,
    body: str = "still 7, hurts to lift my arm",
    intent: str = "",
    score: int | None = None,
    flags: Sequence[str] = (),
    because: Sequence[tuple[str, str]] = (),
    now: datetime | None = None,
    **fields: Any,
) -> InboundMessage:
    """A text received. With an `intent` it was read; `because` pairs a rule's name with the words that decided."""
    at = _now(now)
    home = patient.clinic if patient else clinic
    assert home is not None, "a text comes to some clinic"
    inbound = InboundMessage.objects.create(
        **{
            "clinic": home,
            "message_sid": f"SM{next(_numbers):032x}",
            "from_number": phone_of(patient) if patient else new_phone(),
            "to_number": Sender.objects.filter(clinic=home)[0].number,
            "body": body,
            "received_at": at,
            "patient": patient,
            "handled_as": "answered_check_in" if intent else "",
            "handled_at": at if intent else None,
            **fields,
        }
    )
    if intent:
        reasons = [
            {"rule": rule, "text": words, "start": body.index(words), "end": body.index(words) + len(words)}
            for rule, words in because
        ]
        Understanding.objects.create(
            clinic=home,
            inbound=inbound,
            intent=intent,
            score=score,
            flags=list(flags),
            because=reasons,
            is_sure=True,
            read_at=at,
        )
    return inbound


def make_check_in(
    *, plan: AftercarePlan, state: str = "open", outcome: str = "", now: datetime | None = None, **fields: Any
) -> CheckIn:
    """The plan's check-in question, asked; its message counts as sent."""
    at = _now(now)
    message = plan.messages.get(step_key="check_in")
    if message.state not in REACHED_CARRIER:
        message.state = MessageState.DELIVERED
        message.carrier_sid = f"SM{next(_numbers):032x}"
        message.due_at = message.accepted_at = message.changed_at = at
        message.save()
    return CheckIn.objects.create(
        **{
            "clinic": plan.clinic,
            "patient": message.patient,
            "treatment_session": plan.treatment_session,
            "plan": plan,
            "message": message,
            "kind": "check_in",
            "state": state,
            "outcome": outcome,
            "asked_at": at,
            "closes_at": at + timedelta(hours=20),
            **fields,
        }
    )


def make_escalation(
    *,
    patient: Patient,
    severity: str = "same_day",
    reason: str = "persists",
    now: datetime | None = None,
    **fields: Any,
) -> Escalation:
    """Open work for a human about this patient."""
    at = _now(now)
    return Escalation.objects.create(
        **{
            "clinic": patient.clinic,
            "patient": patient,
            "reason": reason,
            "severity": severity,
            "code": f"K{next(_numbers):03d}",
            "created_at": at,
            "due_at": at + timedelta(minutes=5 if severity == "urgent" else 240),
            **fields,
        }
    )
