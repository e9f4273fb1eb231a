"""The figures: what is counted, from which row on, and at what cost."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reminders import clock
from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Patient
from reminders.conversations.models import InboundMessage, Picture
from reminders.insights import figures
from reminders.insights.figures import Waiting, read_figures
from reminders.messaging.models import CarrierEvent, OutboxRow
from tests.factories import make_escalation, make_inbound, make_message, make_picture, make_treatment_session

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def test_an_empty_installation_is_all_zeros(now: datetime) -> None:
    read = read_figures(now=now)

    assert (read.due, read.late, read.unread, read.unresolved) == (Waiting(0, 0), 0, Waiting(0, 0), Waiting(0, 0))
    assert read.held == {"claimed": 0, "sending": 0}
    assert (read.second_carrier_ids, read.clock_offset_seconds, read.senders) == (0, 0, ())


def test_what_is_due_and_what_is_late(patient: Patient, now: datetime) -> None:
    for ago in (-HOUR, SECOND * 10, MINUTE * 5):
        make_message(patient=patient, due_at=now - ago)

    read = read_figures(now=now)

    assert read.due == Waiting(2, 300)
    assert read.late == 1
    assert [(sender.due, sender.is_paused) for sender in read.senders] == [(2, False)]


def test_a_sender_is_known_by_its_id_its_rate_and_its_pause(clinic: Clinic, now: datetime) -> None:
    clinic.senders.update(parts_per_second=3, paused_reason="sender_fault", paused_until=now + HOUR)

    (sender,) = read_figures(now=now).senders

    assert (sender.sender_id, sender.clinic) == (clinic.senders.get().pk, clinic.slug)
    assert (sender.parts_per_second, sender.is_paused, sender.paused_reason) == (3, True, "sender_fault")


def test_a_pause_that_has_ended_is_none(clinic: Clinic, now: datetime) -> None:
    clinic.senders.update(paused_reason="sender_fault", paused_until=now - SECOND)

    assert [sender.is_paused for sender in read_figures(now=now).senders] == [False]


def test_every_state_is_counted_where_it_belongs(patient: Patient, now: datetime) -> None:
    for state in ("scheduled", "sending", "sending", "ambiguous", "unresolved", "delivered", "expired"):
        make_message(patient=patient, state=state, reason="x", changed_at=now - HOUR, due_at=now - HOUR)
    make_message(patient=patient, state="delivered", changed_at=now - HOUR * 25)
    OutboxRow.objects.filter(state="scheduled").update(state="claimed")

    read = read_figures(now=now)

    assert read.held == {"claimed": 1, "sending": 2}
    assert (read.ambiguous, read.unresolved) == (Waiting(1, 3600), Waiting(1, 3600))
    assert read.lately == {"delivered": 1, "expired": 1}


def test_on_a_busy_day_the_newest_texts_are_counted(
    patient: Patient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(5):
        make_message(patient=patient, state="delivered" if minute else "failed", changed_at=now - MINUTE * minute)
    monkeypatch.setattr(figures, "LATELY_COUNTED", 3)

    assert read_figures(now=now).lately == {"failed": 1, "delivered": 2}


def test_cases_are_counted_by_severity_and_age_until_somebody_takes_them(patient: Patient, now: datetime) -> None:
    make_escalation(patient=patient, severity="urgent", reason="breathing", now=now - MINUTE * 7)
    make_escalation(patient=patient, severity="urgent", reason="chest", now=now - MINUTE)
    make_escalation(patient=patient, severity="routine", now=now - HOUR * 9)

    read = read_figures(now=now)

    assert {key: count for key, count in read.cases.items() if count} == {
        ("urgent", "open"): 2,
        ("routine", "open"): 1,
    }
    assert read.untaken["urgent"] == Waiting(2, 420)
    assert read.untaken["same_day"] == Waiting(0, 0)
    assert read.overdue_cases == 2


def test_texts_that_nobody_read_and_texts_to_nobody(patient: Patient, now: datetime) -> None:
    make_inbound(patient=patient, now=now - MINUTE)
    make_inbound(patient=patient, now=now - HOUR, inbox="open", handled_at=now)
    InboundMessage.objects.create(message_sid="SM-lost", from_number="+1", to_number="+2", received_at=now - HOUR)

    read = read_figures(now=now)

    assert (read.unread, read.inbox, read.texts_to_nobody) == (Waiting(1, 60), Waiting(1, 3600), 1)


def test_pictures_that_are_still_at_the_carrier(patient: Patient, now: datetime) -> None:
    text = make_inbound(patient=patient, now=now - HOUR, handled_at=now)
    make_picture(inbound=text)
    Picture.objects.create(clinic=patient.clinic, inbound=text, position=1, next_try_at=now)

    assert read_figures(now=now).pictures == Waiting(1, 3600)


def test_sessions_that_are_owed_a_plan(patient: Patient, now: datetime) -> None:
    make_treatment_session(patient=patient)

    assert read_figures(now=now).sessions_owed_a_plan.count == 1


def test_a_text_taken_twice_is_counted_once_however_often_it_is_reported(patient: Patient, now: datetime) -> None:
    message = make_message(patient=patient, state="accepted")
    for _callback in range(2):
        audit.record(
            clinic=patient.clinic,
            actor=AuditEvent.Actor.CARRIER,
            verb="second_carrier_id",
            subject=message,
            now=now,
        )

    assert read_figures(now=now).second_carrier_ids == 1


def test_what_a_sender_used_is_what_the_carrier_took_in_the_last_minute(patient: Patient, now: datetime) -> None:
    for ago in (SECOND * 5, SECOND * 50, MINUTE * 3):
        make_message(patient=patient, state="delivered", segments=3, accepted_at=now - ago, changed_at=now - SECOND)
    make_message(patient=patient, state="rejected", accepted_at=None, changed_at=now - SECOND)

    (sender,) = read_figures(now=now).senders

    assert sender.used_parts_per_second == pytest.approx(6 / 60)


def test_where_more_left_than_is_counted_the_rate_is_that_of_the_newest(
    patient: Patient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in range(1, 9):
        left_at = now - SECOND * second
        make_message(patient=patient, state="accepted", segments=1, accepted_at=left_at, changed_at=left_at)
    monkeypatch.setattr(figures, "RATE_COUNTED", 5)

    (sender,) = read_figures(now=now).senders

    assert sender.used_parts_per_second == pytest.approx(4 / 5)


def test_reports_that_name_no_text_of_ours_are_counted_for_a_day(patient: Patient, now: datetime) -> None:
    message = make_message(patient=patient, state="accepted")
    for of, ago in ((None, HOUR), (None, HOUR * 25), (message, HOUR)):
        CarrierEvent.objects.create(message=of, carrier_sid="SM1", status="sent", received_at=now - ago)

    assert read_figures(now=now).reports_of_nothing == 1


def test_a_moved_clock_shows(now: datetime) -> None:
    clock.advance(by=HOUR)

    assert read_figures(now=now).clock_offset_seconds == 3600


def test_the_number_of_queries_does_not_grow(patient: Patient, now: datetime) -> None:
    with CaptureQueriesContext(connection) as few:
        read_figures(now=now)
    for _each in range(10):
        make_message(patient=patient, due_at=now - HOUR)
        make_message(patient=patient, state="delivered", changed_at=now)
        make_inbound(patient=patient)
    with CaptureQueriesContext(connection) as many:
        read_figures(now=now)

    assert len(few) == len(many) <= 28
