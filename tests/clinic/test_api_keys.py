from datetime import UTC, datetime, timedelta

import pytest

from reminders.clinic.models import ApiKey, AuditEvent
from reminders.clinic.services import authenticate_api_key, create_api_key, revoke_api_key
from tests.factories import make_clinic

NOW = datetime(2025, 3, 4, 18, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_a_key_opens_its_own_clinic_until_it_is_revoked() -> None:
    clinic, elsewhere = make_clinic(), make_clinic()
    api_key, plain = create_api_key(clinic=clinic, label="EHR", now=NOW)
    _other_row, other = create_api_key(clinic=elsewhere, label="EHR", now=NOW)

    assert authenticate_api_key(plain, NOW) == clinic
    assert authenticate_api_key(other, NOW) == elsewhere
    assert revoke_api_key(api_key=api_key, now=NOW) is True
    assert revoke_api_key(api_key=api_key, now=NOW) is False
    assert authenticate_api_key(plain, NOW) is None
    assert authenticate_api_key(other, NOW) == elsewhere


def test_the_key_itself_is_stored_nowhere() -> None:
    api_key, plain = create_api_key(clinic=make_clinic(), label="EHR", now=NOW)

    stored = ApiKey.objects.values().get(pk=api_key.pk)
    assert plain not in str(stored)
    assert plain.startswith(stored["prefix"])
    assert len(stored["prefix"]) == 12
    assert plain not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("wrong", ["", "rk_", "rk_" + "a" * 43, "x" * 1000, "rk_" + "é" * 10, "Bearer rk_"])
def test_what_is_no_key_opens_nothing(wrong: str) -> None:
    assert authenticate_api_key(wrong, NOW) is None


def test_the_last_use_is_written_once_a_minute() -> None:
    api_key, plain = create_api_key(clinic=make_clinic(), label="EHR", now=NOW)
    for seconds in (0, 59):
        authenticate_api_key(plain, NOW + timedelta(seconds=seconds))
    api_key.refresh_from_db()
    assert api_key.last_used_at == NOW

    authenticate_api_key(plain, NOW + timedelta(seconds=60))
    api_key.refresh_from_db()
    assert api_key.last_used_at == NOW + timedelta(seconds=60)
