"""The delivery room: what nobody knows, the numbers on both ends, and what patients missed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils.html import escape

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, PatientPhone
from reminders.messaging.deciding import send_again
from reminders.messaging.models import Message, Sender
from reminders.messaging.status import record_status
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def unresolved(patient: Patient) -> Message:
    """An answer that may or may not have arrived; quiet hours do not hold it."""
    return factories.make_message(
        patient=patient, kind="reply", state="unresolved", reason="unknown_timeout", quiet_exempt=True,
        body="Your PT has been told.",
    )  # fmt: skip


def _page(client: Client, address: str = "/delivery/") -> str:
    return client.get(address).content.decode()


def _press(client: Client, address: str) -> str:
    return client.post(f"/delivery/{address}/", follow=True).content.decode()


def _missed_at(patient: Patient, ago: timedelta, **fields: object) -> Message:
    message = factories.make_message(patient=patient, **fields)  # type: ignore[arg-type]
    Message.objects.filter(pk=message.pk).update(changed_at=datetime.now(UTC) - ago)
    return message


def test_a_clinic_without_trouble_reads_so(therapist: Client) -> None:
    page = _page(therapist)

    assert "We know what became of every text." in page
    assert "No text waits for a decision." in page
    assert "In the last 7 days every text to a patient happened as planned." in page


def test_what_nobody_knows_stands_with_its_words_and_all_choices(
    therapist: Client, unresolved: Message, patient: Patient
) -> None:
    page = _page(therapist)

    assert "1 text waits for a decision." in page
    for words in (patient.display_name, "Your PT has been told.", "no clear answer came from the carrier",
                  "Send again", "Mark as sent", "Did not arrive"):  # fmt: skip
        assert words in page, words


def test_while_proof_is_looked_for_the_page_says_since_when_and_offers_no_choice(
    therapist: Client, patient: Patient
) -> None:
    _missed_at(patient, 7 * MINUTE, state="ambiguous", reason="lease_ended")

    page = _page(therapist)

    assert "Proof is still looked for; nothing to decide yet." in page
    assert "for 7 min" in page
    assert "within 15 min (1 h where the carrier cannot be asked)" in page
    assert "Mark as sent" not in page


def test_marking_as_sent_settles_it_without_sending(therapist: Client, unresolved: Message, staff: Staff) -> None:
    page = _press(therapist, f"texts/{unresolved.pk}/sent")

    unresolved.refresh_from_db()
    assert unresolved.state == "accepted"
    assert "It counts as sent. Nothing was sent now." in page
    assert "No text waits for a decision." in page
    assert Message.objects.count() == 1
    assert AuditEvent.objects.get(verb="marked_as_sent").clinician == staff.therapist


def test_what_did_not_arrive_is_on_the_register_and_a_late_receipt_takes_it_off(
    therapist: Client, unresolved: Message, staff: Staff
) -> None:
    page = _press(therapist, f"texts/{unresolved.pk}/not-arrived")

    unresolved.refresh_from_db()
    assert unresolved.state == "failed"
    assert "It counts as not arrived. Nothing was sent now." in page
    assert "No text waits for a decision." in page
    assert "Nobody knew whether it arrived, and it was marked as not arrived." in page
    assert Message.objects.count() == 1
    assert AuditEvent.objects.get(verb="marked_not_arrived").clinician == staff.therapist

    record_status(
        public_id=unresolved.public_id, carrier_sid="SM1", status="delivered", error_code=None, now=datetime.now(UTC)
    )
    assert "marked as not arrived" not in _page(therapist)


def test_sending_again_twice_makes_one(therapist: Client, unresolved: Message, patient: Patient) -> None:
    first = _press(therapist, f"texts/{unresolved.pk}/again")
    second = _press(therapist, f"texts/{unresolved.pk}/again")

    unresolved.refresh_from_db()
    new = Message.objects.get(sends_again=unresolved)
    assert (unresolved.state, new.state) == ("replaced", "scheduled")
    assert "A new text takes its place." in first
    assert "This text was sent again already" in second
    assert "Sent again" in _page(therapist, f"/patients/{patient.pk}/")


def test_a_colleague_who_was_faster_is_told(unresolved: Message, staff: Staff, clinic: Clinic, log_in: LogIn) -> None:
    send_again(message_id=unresolved.pk, clinic=clinic, clinician=staff.owner, now=datetime.now(UTC))

    page = _press(log_in(staff.front_desk), f"texts/{unresolved.pk}/sent")

    assert "This text was sent again already; it does not leave a second time." in page
    unresolved.refresh_from_db()
    assert unresolved.state == "replaced"


def test_evidence_that_was_faster_is_told(therapist: Client, unresolved: Message) -> None:
    record_status(
        public_id=unresolved.public_id, carrier_sid="SM1", status="delivered", error_code=None, now=datetime.now(UTC)
    )

    assert "Proof has come in the meantime; nothing is left to decide." in _press(
        therapist, f"texts/{unresolved.pk}/again"
    )
    assert Message.objects.count() == 1


def test_an_opt_out_keeps_it_from_being_sent_again(therapist: Client, unresolved: Message, patient: Patient) -> None:
    factories.make_consent(patient=patient, decision="revoked", method="keyword_stop")
    Message.objects.update(consent_rule="granted")

    assert "The patient has opted out of texts." in _press(therapist, f"texts/{unresolved.pk}/again")
    assert "1 text waits for a decision." in _page(therapist)


def test_one_that_is_too_late_is_not_offered_to_be_sent_again(therapist: Client, unresolved: Message) -> None:
    Message.objects.update(expires_at=datetime.now(UTC) - MINUTE)

    page = _page(therapist)

    assert "It is too late for this text to be of use." in page
    assert f"/texts/{unresolved.pk}/again/" not in page
    assert f"/texts/{unresolved.pk}/sent/" in page


@pytest.mark.parametrize(
    ("state", "cause", "step"),
    [
        ("landline", "A landline", "Ask the patient for a mobile number"),
        ("dead", "No longer in service.", "Ask the patient for the new number."),
        ("unreachable", "Switched off or out of reach", "Call the patient later today."),
        ("quarantined", "the wrong number", "Ask the patient whether the number is right."),
    ],
)
def test_a_failing_number_stands_with_its_cause_until_it_is_fine(
    therapist: Client, patient: Patient, staff: Staff, state: str, cause: str, step: str
) -> None:
    phone = patient.phones.get()
    PatientPhone.objects.update(state=state, state_changed_at=datetime.now(UTC))
    page = _page(therapist)
    assert cause in page
    assert step in page

    after = _press(therapist, f"numbers/{phone.pk}/fine")

    phone.refresh_from_db()
    assert phone.state == "ok"
    assert cause not in after
    event = AuditEvent.objects.get(verb="number_is_fine")
    assert (event.clinician, event.patient, event.details) == (staff.therapist, patient, {"was": state})
    assert "This number counts as fine already." in _press(therapist, f"numbers/{phone.pk}/fine")


def test_our_numbers_stand_with_their_rate_and_what_waits(therapist: Client, clinic: Clinic, patient: Patient) -> None:
    now = datetime.now(UTC)
    Sender.objects.update(parts_per_second=1, number="+13125550142")
    for due_at in (now - MINUTE, now - HOUR, now + HOUR):
        factories.make_message(patient=patient, due_at=due_at)

    page = _page(therapist)

    assert "(312) 555-0142" in page
    assert "2 due now · 1 later" in page
    assert "At most 1 text part a second" in page


def test_a_held_number_says_why_and_until_when_and_can_be_let_go(
    therapist: Client, clinic: Clinic, staff: Staff
) -> None:
    sender = clinic.senders.get()
    until = datetime.now(UTC) + 5 * MINUTE + timedelta(seconds=30)
    Sender.objects.update(paused_until=until, paused_reason="account_stopped")
    page = _page(therapist)
    assert "One of our numbers is held." in page
    assert "The carrier has stopped the account" in page
    assert "for 5 min more" in page

    after = _press(therapist, f"senders/{sender.pk}/resume")

    sender.refresh_from_db()
    assert (sender.paused_until, sender.paused_reason) == (None, "")
    assert "for 5 min more" not in after
    event = AuditEvent.objects.get(verb="sender_resumed")
    assert (event.clinician, event.details) == (staff.therapist, {"reason": "account_stopped"})
    assert "This number is not held any more." in _press(therapist, f"senders/{sender.pk}/resume")


@pytest.mark.parametrize(
    ("state", "reason", "cause"),
    [
        ("expired", "expired", "It could only have left too late to be of use."),
        ("suppressed", "quiet_hours", "It would have fallen into quiet hours."),
        ("suppressed", "phone_landline", "The number cannot receive texts."),
        ("suppressed", "no_consent", "The patient has not agreed to texts."),
        ("suppressed", "opted_out", "The patient opted out."),
        ("rejected", "number_invalid", "No phone has this number."),
        ("undelivered", "unreachable", "The phone is switched off or out of reach."),
        ("undelivered", "", "The carrier could not deliver it."),
        ("failed", "", "The carrier gave up on it."),
    ],
)
def test_what_a_patient_missed_stands_with_its_cause(
    therapist: Client, patient: Patient, state: str, reason: str, cause: str
) -> None:
    _missed_at(patient, HOUR, state=state, reason=reason, step_key="check_in", kind="check_in")

    page = _page(therapist)

    assert "Soreness check-in" in page
    assert escape(cause) in page


def test_what_was_taken_back_on_purpose_or_sent_again_is_not_missed(therapist: Client, patient: Patient) -> None:
    _missed_at(patient, HOUR, state="cancelled", reason="answered")
    replaced = _missed_at(patient, HOUR, state="failed")
    factories.make_message(patient=patient, state="delivered", sends_again=replaced)

    assert "every text to a patient happened as planned" in _page(therapist)


def test_what_was_tried_a_second_time_says_so_here_and_on_the_patients_page(
    therapist: Client, patient: Patient
) -> None:
    first = _missed_at(patient, HOUR, state="undelivered", reason="unreachable", error_code=30003)
    second = factories.make_message(
        patient=patient, state="sent", sends_again=first, dedupe_key=f"second:{first.pk}", step_key="heat"
    )

    page = _page(therapist)

    assert "Tried a second time" in page
    assert "First try: The phone is switched off or out of reach." in page
    assert "every text to a patient happened as planned" in page
    timeline = _page(therapist, f"/patients/{patient.pk}/")
    assert "Second try, because the first one did not arrive." in timeline

    Message.objects.filter(pk=second.pk).update(state="undelivered", reason="unreachable")
    assert "The phone is switched off or out of reach. It was the second try." in _page(therapist)


def test_the_register_goes_back_as_far_as_asked_newest_first(therapist: Client, clinic: Clinic) -> None:
    for name, ago in (("Ada", HOUR), ("Ben", 3 * DAY), ("Cleo", 20 * DAY), ("Dot", 60 * DAY), ("Eve", 100 * DAY)):
        _missed_at(factories.make_patient(clinic=clinic, given_name=name, family_name=""), ago, state="failed")

    def named(address: str) -> list[str]:
        page = _page(therapist, address)
        return sorted((one for one in ("Ada", "Ben", "Cleo", "Dot", "Eve") if f">{one}<" in page), key=page.index)

    assert named("/delivery/?days=1") == ["Ada"]
    assert named("/delivery/") == ["Ada", "Ben"]
    assert named("/delivery/?days=30") == ["Ada", "Ben", "Cleo"]
    assert named("/delivery/?days=90") == ["Ada", "Ben", "Cleo", "Dot"]


@pytest.mark.parametrize("query", ["?days=8", "?days=-1", "?days=x&page=", "?page=99999999999", "?days=²"])
def test_an_address_that_nobody_offered_shows_the_usual_period(therapist: Client, query: str) -> None:
    assert "In the last 7 days" in _page(therapist, f"/delivery/{query}")


def test_a_long_register_has_pages(therapist: Client, patient: Patient) -> None:
    for number in range(60):
        _missed_at(patient, number * MINUTE, state="failed", body=f"Text {number}")

    first, last, beyond = (_page(therapist, f"/delivery/?page={number}") for number in (1, 3, 50))

    assert '<span class="count">60</span>' in first
    assert first.count("The carrier gave up on it.") == 25
    assert "?days=7&amp;page=2#missed" in first
    assert last.count("The carrier gave up on it.") == beyond.count("The carrier gave up on it.") == 10
    assert "page=4" not in last


def test_a_viewer_reads_and_presses_nothing(staff: Staff, log_in: LogIn, unresolved: Message, patient: Patient) -> None:
    PatientPhone.objects.update(state="dead")
    Sender.objects.update(paused_until=datetime.now(UTC) + HOUR, paused_reason="sender_fault")

    page = _page(log_in(staff.viewer))

    assert patient.display_name in page
    assert page.count('method="post"') == 1, "only logging out is left"


def test_a_strangers_room_shows_nothing_of_ours(
    log_in: LogIn, stranger: Clinician, unresolved: Message, patient: Patient
) -> None:
    PatientPhone.objects.update(state="dead")
    _missed_at(patient, HOUR, state="failed")

    page = _page(log_in(stranger))

    assert patient.display_name not in page
    assert "We know what became of every text." in page


def test_today_leads_here(therapist: Client) -> None:
    assert 'href="/delivery/"' in _page(therapist, "/").split('id="live"')[1]


@pytest.mark.parametrize("rows", [1, 12])
def test_the_page_costs_the_same_queries_for_any_number_of_rows(
    therapist: Client, clinic: Clinic, rows: int, django_assert_max_num_queries: object
) -> None:
    for number in range(rows):
        patient = factories.make_patient(clinic=clinic, given_name=f"P{number}")
        for state in ("unresolved", "ambiguous", "failed", "undelivered"):
            factories.make_message(patient=patient, state=state)
    PatientPhone.objects.update(state="landline")

    with django_assert_max_num_queries(14):  # type: ignore[operator]
        therapist.get("/delivery/")
