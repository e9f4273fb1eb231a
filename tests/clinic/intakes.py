"""The raw fields of an intake as a form, a document or a row would bring them."""

from datetime import UTC, datetime, timedelta

import pytest

from reminders.clinic.errors import InvalidInputError
from reminders.clinic.intake import parse_session
from reminders.clinic.models import AuditEvent, Clinic, Patient
from reminders.clinic.services import IntakeOutcome, record_treatment_session

NOW = datetime(2025, 3, 4, 23, 40, tzinfo=UTC)
"""17:40 on a Tuesday in Chicago."""

LATER = NOW + timedelta(minutes=30)
API = AuditEvent.Actor.API


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


def take_in(
    clinic: Clinic, raw: dict[str, object], *, actor: AuditEvent.Actor = API, now: datetime = NOW
) -> IntakeOutcome:
    intake = parse_session(raw, clinic=clinic, now=now)
    _session, outcome = record_treatment_session(clinic=clinic, intake=intake, actor=actor, now=now)
    return outcome


def problems(clinic: Clinic, raw: dict[str, object], *, now: datetime = NOW) -> list[tuple[str, str]]:
    """Send an intake that is refused; return the (field, code) of each problem."""
    with pytest.raises(InvalidInputError) as caught:
        take_in(clinic, raw, now=now)
    return [(problem.field, problem.code) for problem in caught.value.problems]
