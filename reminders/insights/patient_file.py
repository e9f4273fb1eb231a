"""All that is held on one patient, for the patient: what the law calls access to one's records (45 CFR 164.524)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import Model, QuerySet

from reminders.clinic.models import AuditEvent, ConsentRecord, Patient, PatientPhone, ScreeningRecord, TreatmentSession
from reminders.conversations.models import CheckIn, InboundMessage, Picture, Understanding
from reminders.escalations.models import Escalation
from reminders.messaging.models import AftercarePlan, DeliveryAttempt, Message

# Pictures are large and opened in the console one by one; the file names them.
_NOT_IN_THE_FILE: Final = frozenset({"content"})


def patient_file(*, patient: Patient, now: datetime) -> dict[str, Any]:
    """Return everything on file about this patient as plain values, by what it is, each oldest first.

    Dates are aware moments in UTC. Pictures are named with their type and size, not contained.
    """
    clinic, inbound = patient.clinic, InboundMessage.objects.filter(patient=patient, clinic=patient.clinic)
    messages = Message.objects.filter(patient=patient)
    parts: Mapping[str, QuerySet[Any]] = {
        "patient": Patient.objects.filter(pk=patient.pk),
        "phones": PatientPhone.objects.filter(patient=patient),
        "consents": ConsentRecord.objects.filter(patient=patient),
        "screenings": ScreeningRecord.objects.filter(patient=patient),
        "treatment_sessions": TreatmentSession.objects.filter(patient=patient),
        "plans": AftercarePlan.objects.filter(treatment_session__patient=patient),
        "messages": messages,
        "delivery_attempts": DeliveryAttempt.objects.filter(message__patient=patient),
        "replies": inbound,
        "how_replies_were_read": Understanding.objects.filter(inbound__in=inbound),
        "pictures": Picture.objects.filter(inbound__in=inbound),
        "check_ins": CheckIn.objects.filter(patient=patient),
        "escalations": Escalation.objects.filter(patient=patient),
        "audit": AuditEvent.objects.filter(patient=patient),
    }
    held = {name: list(rows.order_by("pk").values(*_columns(rows.model))) for name, rows in parts.items()}
    return {"clinic": clinic.name, "made_at": now, **held}


def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.name not in _NOT_IN_THE_FILE]
