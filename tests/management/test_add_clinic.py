"""`reminders add-clinic` makes a clinic that can go live, or nothing at all."""

from datetime import UTC, datetime, time
from typing import Any, Final

import pytest

from reminders.clinic.models import Clinic, Clinician
from reminders.clinic.services import authenticate_api_key
from reminders.content.selectors import published_protocol, published_text
from reminders.management.new_clinic import NewClinicError, make_clinic
from reminders.messaging.models import Sender

pytestmark = pytest.mark.django_db

ASKED: Final[dict[str, Any]] = {
    "name": "Lakeside Rehab",
    "slug": "lakeside",
    "phone": "(312) 555-0170",
    "senders": ["+13125550171"],
    "parts_per_second": 1.0,
    "timezone": "America/Chicago",
    "quiet_start": time(20),
    "quiet_end": time(9),
    "owner": "lou",
    "owner_phone": "",
    "owner_password": "a long enough phrase",
}


def test_a_new_clinic_has_what_it_needs_to_go_live() -> None:
    made = make_clinic(**ASKED)
    clinic = Clinic.objects.get(slug=made["clinic"])
    assert clinic.phone == "+13125550170"
    assert authenticate_api_key(made["api_key"], datetime.now(UTC)) == clinic
    assert Clinician.objects.get(username="lou").check_password("a long enough phrase")
    assert Sender.objects.get(clinic=clinic).number == "+13125550171"
    assert published_protocol(clinic=clinic).number == 1
    assert published_text(clinic=clinic, key="check_in", language="es").number == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"phone": "12"}, "phone"),
        ({"quiet_start": time(23)}, "21:00"),
        ({"owner_password": "short"}, "12 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NewClinicError, match=sentence):
        make_clinic(**(ASKED | wrong))
    assert not Clinic.objects.exists()
    assert not Clinician.objects.exists()


def test_a_sender_serves_one_clinic_only() -> None:
    make_clinic(**ASKED)
    with pytest.raises(NewClinicError, match="taken"):
        make_clinic(**(ASKED | {"slug": "other", "owner": "kim"}))
    assert Clinic.objects.count() == 1
