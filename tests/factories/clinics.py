"""Clinics, those who work there, and who is on call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from reminders.clinic.models import Clinic, Clinician, LadderRung
from reminders.messaging.models import Sender
from tests.factories.fresh import new_phone, numbers

PASSWORD: Final = "correct horse battery staple"
WEEKDAYS: Final = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def make_clinic(*, name: str = "Northside Physio", slug: str = "", **fields: Any) -> Clinic:
    """A clinic in Chicago with weekday hours and one sender."""
    number = next(numbers)
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
        username or f"{role}-{next(numbers)}",
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
