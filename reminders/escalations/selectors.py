"""Reads of the work that waits for a human."""

from django.db.models import Case, IntegerField, QuerySet, Value, When

from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.core.states import SEVERITY_RANK, EscalationState
from reminders.escalations.models import Escalation


def worklist(*, clinic: Clinic) -> QuerySet[Escalation]:
    """Return what is not resolved: urgent first, then oldest first."""
    rank = Case(
        *[When(severity=severity, then=Value(position)) for severity, position in SEVERITY_RANK.items()],
        output_field=IntegerField(),
    )
    return (
        Escalation.objects.filter(clinic=clinic)
        .exclude(state=EscalationState.RESOLVED)
        .annotate(severity_rank=rank)
        .select_related("patient", "treatment_session", "owner", "check_in", "inbound")
        .order_by("severity_rank", "created_at", "id")
    )


def history(*, escalation: Escalation) -> list[AuditEvent]:
    """Return who did what with one escalation, oldest first."""
    return list(
        AuditEvent.objects.filter(subject="escalation", subject_id=escalation.pk, clinic=escalation.clinic)
        .select_related("clinician")
        .order_by("at", "id")
    )


def live_by_code(*, clinic: Clinic, code: str) -> Escalation | None:
    """Return the unresolved escalation of a clinic that carries this code, or None."""
    return Escalation.objects.filter(clinic=clinic, code=code).exclude(state=EscalationState.RESOLVED).first()


def on_call(*, clinic: Clinic) -> list[Clinician]:
    """Return everybody who could be reached by phone, for a clinic that has not set up its ladder."""
    return list(Clinician.objects.filter(clinic=clinic, is_active=True).exclude(phone="").order_by("id"))
