"""A call to staff: what is said, which key takes the case, and what is no acknowledgement."""

from uuid import UUID
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse

from reminders import clock
from reminders.conversations.models import InboundMessage
from reminders.core.states import EscalationState
from reminders.escalations.models import Escalation
from reminders.escalations.services import acknowledge, ring_due
from reminders.messaging.models import Message
from tests.answering import Story, begin, calls_of, new_sid, post_as_carrier, set_clock
from tests.factories import make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin(patient={"given_name": "Xochitl", "family_name": "Zamora"})


@pytest.fixture
def call(story: Story) -> UUID:
    """The call that the therapist gets, three minutes after the text about a danger sign."""
    story.texts("struggling to get air")
    set_clock(story.case().next_ring_at or clock.now())
    ring_due(now=clock.now())
    (public_id,) = calls_of(story.case())
    return public_id


def press(call: UUID, digits: str, query: str = "") -> HttpResponse:
    return post_as_carrier(f"/webhooks/voice/key/{call}/{query}", {"CallSid": new_sid("CA"), "Digits": digits})


def pick_up(call: UUID, **more: str) -> HttpResponse:
    return post_as_carrier(
        f"/webhooks/voice/answer/{call}/", {"CallSid": new_sid("CA"), "CallStatus": "in-progress", **more}
    )


def verbs(response: HttpResponse) -> list[str]:
    assert response.headers["Content-Type"].startswith("text/xml")
    return [verb.tag for verb in ElementTree.fromstring(response.content)]  # noqa: S314  # our own document


def test_whoever_picks_up_is_asked_for_the_key_twice_and_then_the_call_ends(call: UUID) -> None:
    response = pick_up(call)

    assert verbs(response) == ["Gather", "Gather", "Hangup"]
    gather = ElementTree.fromstring(response.content)[0]  # noqa: S314
    assert gather.attrib["action"] == f"http://testserver/webhooks/voice/key/{call}/"
    assert (gather.attrib["input"], gather.attrib["numDigits"]) == ("dtmf", "1")


def test_the_call_says_nothing_about_anybody(story: Story, call: UUID) -> None:
    said = pick_up(call).content.decode() + press(call, "9").content.decode() + press(call, "1").content.decode()

    for secret in ("Xochitl", "Zamora", story.phone, story.phone[-4:], "air", "struggling"):
        assert secret not in said


def test_key_one_takes_the_case_and_ends_the_ladder(story: Story, call: UUID) -> None:
    response = press(call, "1")

    case = story.case()
    assert verbs(response) == ["Say", "Hangup"]
    assert b"yours" in response.content
    assert (case.state, case.owner, case.acknowledged_via) == ("acknowledged", story.staff.therapist, "call")
    assert case.next_ring_at is None


def test_key_one_twice_thanks_twice_and_takes_once(story: Story, call: UUID) -> None:
    press(call, "1")

    assert b"yours" in press(call, "1").content
    assert story.answers().count("clinician_acknowledged") == 1


def test_any_other_key_asks_again_and_takes_nothing(story: Story, call: UUID) -> None:
    response = press(call, "7")

    assert verbs(response) == ["Say", "Gather", "Gather", "Hangup"]
    assert story.case().state == EscalationState.OPEN


def test_a_machine_that_plays_tones_is_hung_up_on(story: Story, call: UUID) -> None:
    query, documents = "", []
    for _ in range(3):
        response = press(call, "*", query)
        documents.append(verbs(response))
        gather = ElementTree.fromstring(response.content).find("Gather")  # noqa: S314
        query = "?" + gather.attrib["action"].partition("?")[2] if gather is not None else ""

    assert documents[-1] == ["Say", "Hangup"]
    assert story.case().state == EscalationState.OPEN


def test_a_case_that_a_colleague_took_is_told_so(story: Story, call: UUID) -> None:
    acknowledge(
        escalation_id=story.case().pk, clinic=story.clinic, clinician=story.staff.owner, via="page", now=clock.now()
    )

    for response in (pick_up(call), press(call, "1"), press(call, "7")):
        assert verbs(response) == ["Say", "Hangup"]
        assert b"colleague" in response.content
    assert story.case().owner == story.staff.owner


@pytest.mark.parametrize("ended", ["completed", "busy", "no-answer", "failed", "canceled"])
def test_the_end_of_a_call_is_no_acknowledgement(story: Story, call: UUID, ended: str) -> None:
    pick_up(call, AnsweredBy="machine_end_beep")

    response = post_as_carrier(
        f"/webhooks/voice/status/{call}/", {"CallSid": new_sid("CA"), "CallStatus": ended, "AnsweredBy": "unknown"}
    )

    case = story.case()
    assert response.status_code == 204
    assert case.state == EscalationState.OPEN
    assert case.next_ring_at is not None


def test_the_ladder_goes_on_after_a_voicemail(story: Story, call: UUID) -> None:
    post_as_carrier(f"/webhooks/voice/status/{call}/", {"CallSid": new_sid("CA"), "CallStatus": "completed"})
    set_clock(story.case().next_ring_at or clock.now())

    ring_due(now=clock.now())

    assert story.rings()[-1] == ("owner", "sms")


def test_an_unsigned_key_takes_nothing(story: Story, call: UUID) -> None:
    response = post_as_carrier(f"/webhooks/voice/key/{call}/", {"Digits": "1"}, signature="forged")

    assert response.status_code == 403
    assert story.case().state == EscalationState.OPEN


def test_a_text_is_no_call(story: Story) -> None:
    text = make_message(patient=story.patient, now=story.started_at)

    assert pick_up(text.public_id).status_code == 404
    assert press(text.public_id, "1").status_code == 404


def test_a_spanish_clinic_is_spoken_to_in_spanish() -> None:
    story = begin(language="es")
    story.texts("no puedo respirar")
    set_clock(story.case().next_ring_at or clock.now())
    ring_due(now=clock.now())
    (public_id,) = calls_of(story.case())

    assert b"es-MX" in pick_up(public_id).content
    assert "Gracias" in press(public_id, "1").content.decode()
    assert Escalation.objects.get().state == EscalationState.ACKNOWLEDGED


def test_the_patient_hears_that_somebody_took_the_case(story: Story, call: UUID) -> None:
    press(call, "1")

    told = Message.objects.get(dedupe_key__endswith=":clinician_acknowledged")
    assert told.to_number == story.phone
    assert InboundMessage.objects.get().patient == story.patient
