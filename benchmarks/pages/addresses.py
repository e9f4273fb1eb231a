"""Which pages are measured, and with what in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.content.models import RehearsalCheck
from reminders.escalations.models import Escalation

Row = TypeVar("Row")
UNMEASURED = frozenset({"login", "logout", "picture"})
"""Not pages of the console's work: the login's cost is its password hash, a picture's its decryption."""


@dataclass(frozen=True, slots=True)
class Page:
    """One thing a person does: the name of its address, its path, and what is posted where something is."""

    name: str
    path: str
    posted: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def pages_of(clinic: Clinic) -> Iterator[Page]:
    """Return every page with the fullest rows the clinic has."""
    case = _newest(Escalation.objects.filter(clinic=clinic).exclude(state="resolved").order_by("-created_at").first)
    patient = Patient.objects.get(escalations=case)
    session = _newest(TreatmentSession.objects.filter(patient=patient).order_by("-ended_at").first)
    digits = patient.phones.get(is_primary=True).number[-7:]
    yield Page("today", "/")
    yield Page("today_live", "/today/live/")
    yield Page("more", "/more/")
    yield Page("inbox", "/inbox/")
    yield Page("inbox", "/inbox/?show=done", note="dealt with")
    yield Page("patients", "/patients/")
    yield Page("patients", "/patients/", {"q": patient.family_name}, "search by name")
    yield Page("patients", "/patients/", {"q": digits}, "search by phone")
    yield Page("patients", "/patients/", {"q": patient.external_id}, "search by external id")
    yield Page("patient", f"/patients/{patient.pk}/")
    yield Page("consent", f"/phones/{patient.phones.get(is_primary=True).pk}/consent/")
    yield Page("patient_edit", f"/patients/{patient.pk}/correct/")
    yield Page("patient_same", f"/patients/{patient.pk}/same/")
    other = _newest(Patient.objects.filter(clinic=clinic).exclude(pk=patient.pk).order_by("pk").first)
    yield Page("patient_merge", f"/patients/{patient.pk}/same/{other.pk}/")
    yield Page("patient_erase", f"/patients/{patient.pk}/erase/")
    yield Page("patient_write", f"/patients/{patient.pk}/write/")
    yield Page("escalation", f"/escalations/{case.pk}/")
    yield Page("import", "/import/")
    yield Page("session_new", f"/sessions/new/?patient={patient.pk}")
    yield Page("session_correct", f"/sessions/{session.pk}/")
    yield Page("templates", "/templates/")
    yield Page("template", "/templates/check_in/en/")
    yield Page("template_version", "/templates/check_in/en/versions/1/")
    yield Page("protocols", "/protocols/")
    yield Page("protocol", "/protocols/dry-needling/")
    yield Page("protocol_draft", "/protocols/dry-needling/draft/")
    if check := RehearsalCheck.objects.filter(clinic=clinic).first():
        yield Page("protocol_check", f"/protocols/dry-needling/checks/{check.pk}/")
    yield Page("protocol_replay", "/protocols/dry-needling/replay/?persists=5&same_day=8&change=3&curve=in_force")
    yield Page("protocol_copy", "/protocols/dry-needling/copy/")
    yield Page("protocol_publish", "/protocols/dry-needling/publish/")
    yield Page("protocol_version", "/protocols/dry-needling/versions/1/")
    yield Page("delivery", "/delivery/")
    yield Page("insights", "/insights/")
    yield Page("insights", "/insights/?days=90&technique=deep", note="90 days, filtered")
    yield Page("insights_csv", "/insights/replies.csv")
    yield Page("staff", "/staff/")
    yield Page("staff_member", f"/staff/{_newest(clinic.clinicians.order_by('-pk').first).pk}/")
    yield Page("account", "/account/")
    yield Page("account_password", "/account/password/")
    yield Page("account_codes", "/account/codes/")
    yield Page("setup", "/setup/")
    yield Page("setup_clinic", "/setup/clinic/")
    yield Page("setup_hours", "/setup/hours/")
    yield Page("setup_senders", "/setup/numbers/")
    yield Page("setup_test", "/setup/test/")
    yield Page("setup_ladder", "/setup/ladder/")
    yield Page("setup_keys", "/setup/keys/")


def _newest(first: Callable[[], Row | None]) -> Row:
    row = first()
    if row is None:
        raise RuntimeError("The measured clinic lacks a row that a page needs; fill it with more.")
    return row
