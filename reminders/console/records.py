"""What staff and the system did about a patient that leaves no row of its own, as entries of the patient's axis."""

from collections.abc import Mapping
from typing import Final

from reminders.clinic.models import AuditEvent, Patient
from reminders.console.wording import plain

FIELDS: Final[Mapping[str, str]] = {
    "given_name": "given name",
    "family_name": "family name",
    "birth_date": "date of birth",
    "external_id": "record number",
    "language": "language",
    "timezone": "time zone",
    "phone": "phone",
    "screening": "screening",
    "technique": "technique",
    "regions": "treated regions",
    "ended_at": "end of the session",
    "clinician": "who treated",
    "soreness_before": "soreness before",
    "soreness_after": "soreness after",
}
TITLES: Final[Mapping[str, str]] = {
    "patient_recorded": "Put on file",
    "patient_corrected": "Patient corrected",
    "patients_merged": "Brought together with a second entry",
    "exported_patient": "All that is held was saved as a file",
    "number_opened": "Number looked at",
    "picture_opened": "Picture looked at",
    "number_is_fine": "Number said to be right",
    "number_quarantined": "Number held as a wrong one",
    "linked_to_patient": "A text was linked to this patient",
    "treatment_session_corrected": "Session corrected",
    "treatment_session_voided": "Session taken back",
    "moved_planned_texts": "Planned texts changed to newer words",
    "handed_over": "Case handed over",
    "put_aside": "Case put aside",
    "taken_up_again": "Case taken up again",
    "became_more_serious": "Case became more serious",
    "patient_told": "Patient told who will call",
}
"""The verbs that the axis shows. Others are there as rows of their own (a consent, a case, a text)."""


def records_of(patient: Patient, *, newest: int) -> list[AuditEvent]:
    """Return the newest records about a patient that the axis shows, the newest first."""
    rows = AuditEvent.objects.filter(patient=patient, verb__in=TITLES).select_related("clinician")
    return list(rows.order_by("-at", "-id")[:newest])


def title_of(event: AuditEvent) -> str:
    """Return what was done, in words."""
    return TITLES.get(event.verb) or plain(event.verb).capitalize()


def detail_of(event: AuditEvent) -> str:
    """Return who did it and which facts it changed, in words; never the facts themselves."""
    who = event.clinician.display_name if event.clinician else event.get_actor_display()
    fields = [FIELDS.get(name, plain(name)) for name in event.details.get("fields", ())]
    return " · ".join(part for part in (", ".join(fields), f"by {who}" if event.clinician else who) if part)
