from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reminders.clinic import events
from reminders.clinic.consent import grant_consent, newest_decision, revoke_consent
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, ConsentRecord
from reminders.clinic.turns import take_turn
from tests.factories import make_clinic, make_clinician

NOW = datetime(2025, 3, 4, 18, 0, tzinfo=UTC)
NUMBER = "+13125550123"

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def front_desk(clinic: Clinic) -> Clinician:
    return make_clinician(clinic=clinic, role="front_desk")


@pytest.fixture
def revoked() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def hear(*, sender: object, signal: object, **arguments: Any) -> None:
        heard.append(arguments)

    events.consent_revoked.connect(hear)
    yield heard
    events.consent_revoked.disconnect(hear)


def test_nobody_asked_means_no_decision(clinic: Clinic) -> None:
    assert newest_decision(clinic, NUMBER) is None


def test_the_newest_decision_counts_per_number_channel_and_clinic(clinic: Clinic) -> None:
    elsewhere = make_clinic()
    grant_consent(clinic=clinic, number=NUMBER, method="intake_form", now=NOW)
    revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW)
    grant_consent(clinic=elsewhere, number=NUMBER, method="intake_form", now=NOW)
    grant_consent(clinic=clinic, number=NUMBER, method="intake_form", now=NOW, channel="voice")

    newest = newest_decision(clinic, NUMBER)
    assert newest is not None
    assert newest.decision == "revoked"
    assert ConsentRecord.objects.filter(clinic=clinic, channel="sms").count() == 2


def test_the_same_decision_twice_is_stored_once(clinic: Clinic, revoked: list[dict[str, Any]]) -> None:
    assert grant_consent(clinic=clinic, number=NUMBER, method="intake_form", now=NOW) is True
    assert grant_consent(clinic=clinic, number=NUMBER, method="verbal", now=NOW) is False
    assert revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW) is True
    assert revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW) is False

    assert ConsentRecord.objects.count() == 2
    assert revoked == [{"clinic": clinic, "number": NUMBER, "now": NOW}]


def test_an_opt_out_by_text_is_taken_back_only_from_the_phone(clinic: Clinic, front_desk: Clinician) -> None:
    revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW)

    with pytest.raises(ConflictError, match="only a START from their phone takes it back"):
        grant_consent(clinic=clinic, number=NUMBER, method="verbal", now=NOW, clinician=front_desk)
    assert grant_consent(clinic=clinic, number=NUMBER, method="keyword_start", now=NOW) is True


def test_an_opt_out_that_staff_recorded_can_be_taken_back_by_staff(clinic: Clinic, front_desk: Clinician) -> None:
    revoke_consent(clinic=clinic, number=NUMBER, method="in_person", now=NOW, clinician=front_desk)

    assert grant_consent(clinic=clinic, number=NUMBER, method="verbal", now=NOW, clinician=front_desk) is True


def test_the_patients_own_stop_outweighs_the_one_staff_recorded(clinic: Clinic, front_desk: Clinician) -> None:
    revoke_consent(clinic=clinic, number=NUMBER, method="in_person", now=NOW, clinician=front_desk)
    assert revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW) is True

    with pytest.raises(ConflictError):
        grant_consent(clinic=clinic, number=NUMBER, method="verbal", now=NOW, clinician=front_desk)


def test_both_decisions_are_on_record_without_the_number(clinic: Clinic, front_desk: Clinician) -> None:
    grant_consent(clinic=clinic, number=NUMBER, method="verbal", now=NOW, clinician=front_desk)
    revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW)

    granted, stopped = AuditEvent.objects.order_by("id")
    assert (granted.verb, granted.actor, granted.clinician) == ("consent_granted", "clinician", front_desk)
    assert (stopped.verb, stopped.actor, stopped.details) == (
        "consent_revoked",
        "patient",
        {"method": "keyword_stop", "channel": "sms"},
    )


def test_a_receiver_that_fails_takes_the_opt_out_with_it(clinic: Clinic) -> None:
    def fail(**_arguments: Any) -> None:
        raise ArithmeticError

    events.consent_revoked.connect(fail)
    try:
        with pytest.raises(ArithmeticError):
            revoke_consent(clinic=clinic, number=NUMBER, method="keyword_stop", now=NOW)
    finally:
        events.consent_revoked.disconnect(fail)

    assert newest_decision(clinic, NUMBER) is None


@pytest.mark.django_db(transaction=True)
def test_a_turn_without_a_transaction_is_an_error(clinic: Clinic) -> None:
    with pytest.raises(RuntimeError, match="needs a transaction"):
        take_turn(clinic=clinic, topic="anything")
