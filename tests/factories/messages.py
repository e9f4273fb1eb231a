"""Plans and the texts that leave."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reminders.clinic.models import Clinician, Patient, TreatmentSession
from reminders.core.segments import count_segments
from reminders.core.states import REACHED_CARRIER, MessageState
from reminders.messaging.compose import POLICIES
from reminders.messaging.models import AftercarePlan, ConsentRule, Kind, Message, Sender
from tests.factories.fresh import moment, numbers
from tests.factories.patients import phone_of
from tests.factories.words import DRY_NEEDLING, WORDS, make_protocol


def make_plan(
    *, treatment_session: TreatmentSession, now: datetime | None = None, states: Mapping[str, str] | None = None
) -> AftercarePlan:
    """A plan with its advice and its check-in as messages, due as the protocol says, quiet hours left aside.

    `states` gives a step another state than `scheduled`, by step key.
    """
    at = moment(now)
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
    at = moment(now)
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
            "dedupe_key": "" if plan else f"test:{next(numbers)}",
            "kind": kind,
            "priority": POLICIES[Kind(kind)].priority if kind in Kind else 1,
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
            "carrier_sid": f"SM{next(numbers):032x}" if left else "",
            "accepted_at": due if left else None,
            "attempts": 1 if left else 0,
            "created_at": min(at, due),
            "changed_at": due if left else at,
            **fields,
        }
    )
