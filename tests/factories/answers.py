"""What patients write, what is asked of them, and the work that follows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from reminders.clinic.models import Clinic, Patient
from reminders.conversations.models import CheckIn, InboundMessage, Picture, Understanding
from reminders.conversations.sealing import seal
from reminders.core.states import REACHED_CARRIER, MessageState
from reminders.escalations.models import Escalation
from reminders.messaging.models import AftercarePlan, Sender
from tests.factories.fresh import moment, new_phone, numbers
from tests.factories.patients import phone_of


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
    at = moment(now)
    home = patient.clinic if patient else clinic
    assert home is not None, "a text comes to some clinic"
    inbound = InboundMessage.objects.create(
        **{
            "clinic": home,
            "message_sid": f"SM{next(numbers):032x}",
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
    at = moment(now)
    message = plan.messages.get(step_key="check_in")
    if message.state not in REACHED_CARRIER:
        message.state = MessageState.DELIVERED
        message.carrier_sid = f"SM{next(numbers):032x}"
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


PNG = b"\x89PNG\r\n\x1a\n" + b"a bruise, as its bytes would stand in a table that hides nothing" * 40


def make_picture(
    *, inbound: InboundMessage, content: bytes = PNG, now: datetime | None = None, **fields: Any
) -> Picture:
    """A picture that came with a text, fetched and kept."""
    public_id = uuid4()
    return Picture.objects.create(
        **{
            "public_id": public_id,
            "clinic": inbound.clinic,
            "inbound": inbound,
            "position": 0,
            "state": "kept",
            "content": seal(content, picture=public_id),
            "media_type": "image/png",
            "size": len(content),
            "fetched_at": moment(now),
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
    at = moment(now)
    return Escalation.objects.create(
        **{
            "clinic": patient.clinic,
            "patient": patient,
            "reason": reason,
            "severity": severity,
            "code": f"K{next(numbers):03d}",
            "created_at": at,
            "due_at": at + timedelta(minutes=5 if severity == "urgent" else 240),
            **fields,
        }
    )
