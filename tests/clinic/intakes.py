"""The raw fields of an intake as a form, a document or a row would bring them."""

from datetime import UTC, datetime, timedelta

from reminders.clinic.models import Clinic, Patient

NOW = datetime(2025, 3, 4, 23, 40, tzinfo=UTC)
"""17:40 on a Tuesday in Chicago."""


def raw_intake(**changes: object) -> dict[str, object]:
    """A good intake of Dana Reyes, with `changes`."""
    return {
        "external_id": "S-1",
        "technique": "deep",
        "regions": "shoulder;neck",
        "ended_at": (NOW - timedelta(hours=1)).isoformat(),
        "soreness_before": "5",
        "soreness_after": "3",
        "patient_external_id": "P-1",
        "given_name": "Dana",
        "family_name": "Reyes",
        "phone": "312 555 0123",
        "language": "en",
        "timezone": "America/Chicago",
        "birth_date": "1985-05-17",
        "consent": "yes",
        "consent_method": "paper_form",
        "anticoagulant": "no",
        "pregnancy": "unknown",
        **changes,
    }


def less(raw: dict[str, object], *names: str) -> dict[str, object]:
    """The same fields without some of them."""
    return {name: value for name, value in raw.items() if name not in names}


def patients_of(clinic: Clinic) -> list[Patient]:
    """All patients of a clinic, in the order they came."""
    return list(Patient.objects.filter(clinic=clinic).order_by("id"))
