"""Status callbacks on their short way in: the same answers as on Django's own, and nothing but callbacks takes it."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.http import HttpResponse
from django.urls import reverse
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from reminders.core.states import MessageState
from reminders.messaging import status as messaging_status
from reminders.messaging.models import CarrierEvent, Message
from reminders.webhooks import status_desk
from reminders.webhooks.front import status_in_front
from tests.answering import Story, begin, new_sid, post_as_carrier
from tests.factories import make_message

pytestmark = pytest.mark.django_db
Post = Callable[..., int]


class Front:
    """The WSGI application, with a Django behind it that says only that it was asked."""

    def __init__(self) -> None:
        self.passed_on: list[str] = []
        self.body = b""
        self.headers: list[tuple[str, str]] = []
        self._application = status_in_front(self._django)

    def _django(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.passed_on.append(environ["PATH_INFO"])
        assert environ["wsgi.input"].tell() == 0, "somebody has read the body"
        start_response("299 Passed on", [])
        return []

    def post(self, path: str, fields: dict[str, str], *, token: str = "", **environ: Any) -> int:
        form = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "ApiVersion": "2010-04-01", **fields}
        signed = RequestValidator(token or settings.TWILIO_AUTH_TOKEN)
        body = urlencode(form).encode()
        said: list[int] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            said.append(int(status.split()[0]))
            self.headers = headers

        request = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=UTF-8",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_TWILIO_SIGNATURE": signed.compute_signature(settings.PUBLIC_BASE_URL + path, form),
            "wsgi.input": io.BytesIO(body),
            **environ,
        }
        self.body = b"".join(self._application(request, start_response))
        (code,) = said
        return code


@pytest.fixture
def front() -> Front:
    return Front()


@pytest.fixture(params=["in front", "through Django"])
def post(request: pytest.FixtureRequest, front: Front) -> Post:
    """Post a callback on either way."""
    if request.param == "in front":
        return front.post

    def through_django(path: str, fields: dict[str, str], **more: Any) -> int:
        response: HttpResponse = post_as_carrier(path, fields, token=more.get("token") or None)
        return response.status_code

    return through_django


@pytest.fixture
def story() -> Story:
    return begin()


@pytest.fixture
def text(story: Story) -> Message:
    return make_message(patient=story.patient, state="accepted", now=story.started_at)


def address(text: Message) -> str:
    return reverse("sms-status", args=[text.public_id])


def said(text: Message, status: str, **more: str) -> dict[str, str]:
    return {"MessageSid": text.carrier_sid, "MessageStatus": status, **more}


def state_of(text: Message) -> MessageState:
    return MessageState(Message.objects.get(pk=text.pk).state)


def test_a_callback_is_stored_and_applied_when_it_is_answered(post: Post, text: Message) -> None:
    assert post(address(text), said(text, "delivered", RawDlrDoneDate="2503041800")) == 204

    assert state_of(text) is MessageState.DELIVERED
    assert CarrierEvent.objects.get().applied


def test_a_failure_keeps_its_code_and_what_follows_from_it(post: Post, text: Message) -> None:
    assert post(address(text), said(text, "undelivered", ErrorCode="30005")) == 204

    assert Message.objects.get(pk=text.pk).reason == "number_dead"
    assert not Message.objects.filter(patient=text.patient, state="scheduled").exists()


def test_a_forged_callback_is_refused_and_not_stored(post: Post, text: Message) -> None:
    assert post(address(text), said(text, "delivered"), token="f" * 32) == 403

    assert state_of(text) is MessageState.ACCEPTED
    assert not CarrierEvent.objects.exists()


def test_another_account_is_refused(post: Post, text: Message) -> None:
    assert post(address(text), said(text, "delivered", AccountSid="AC" + "9" * 32)) == 403
    assert not CarrierEvent.objects.exists()


def test_a_text_that_nobody_knows_is_no_error(post: Post, text: Message) -> None:
    path = "/webhooks/sms/status/00000000-0000-4000-8000-000000000000/"

    assert post(path, said(text, "delivered")) == 204
    assert CarrierEvent.objects.get().message is None


@pytest.mark.parametrize(
    "odd",
    [
        {"MessageStatus": "a_word_of_tomorrow\x00"},
        {"MessageStatus": "", "SmsStatus": ""},
        {"MessageSid": "x" * 900},
        {"ErrorCode": "9" * 9000},
        {"ErrorCode": "\u00b2"},
        {"Extra": "\u00bfC\u00f3mo? \U0001f44d a+b & c=d"},
    ],
    ids=["NUL", "no status", "long id", "endless code", "no digit", "extra words"],
)  # fmt: skip
def test_odd_values_never_make_an_error(post: Post, text: Message, odd: dict[str, str]) -> None:
    assert post(address(text), said(text, "sent") | odd) == 204
    assert CarrierEvent.objects.count() == 1


def test_a_database_that_is_away_is_told_so_that_the_carrier_comes_back(
    post: Post, text: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> None:
        raise OperationalError("no connection, and a phone number that nobody may log: +13125550111")

    monkeypatch.setattr(status_desk, "record_reports", away)
    with capture_logs() as logs:
        assert post(address(text), said(text, "sent")) == 503

    assert "+1312" not in str(logs)
    monkeypatch.undo()
    assert post(address(text), said(text, "sent")) == 204


def test_whatever_else_breaks_is_an_error_for_the_carrier_and_its_words_are_in_no_log(
    front: Front, text: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("words with +13125550111 in them")

    monkeypatch.setattr(status_desk, "record_reports", broken)
    with capture_logs() as logs:
        assert front.post(address(text), said(text, "sent")) == 500

    assert [entry["event"] for entry in logs] == ["status_not_taken_in"]
    assert "+1312" not in str(logs)


def test_one_that_spoils_its_batch_is_said_again_alone(
    post: Post, text: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def spoilt(*, alone: bool = False, **rest: Any) -> Any:
        asked.append(alone)
        if not alone:
            raise DatabaseError
        return messaging_status.record_reports(alone=alone, **rest)

    monkeypatch.setattr(status_desk, "record_reports", spoilt)

    assert post(address(text), said(text, "sent")) == 204
    assert asked == [False, True]
    assert state_of(text) is MessageState.SENT


def test_answers_have_no_body(front: Front, text: Message) -> None:
    front.post(address(text), said(text, "sent"))
    assert (front.body, front.headers) == (b"", [])

    front.post(address(text), said(text, "sent"), token="f" * 32)
    assert (front.body, front.headers) == (b"", [("Content-Length", "0")])


@pytest.mark.parametrize(
    "unusual",
    [
        *({"REQUEST_METHOD": "GET"}, {"QUERY_STRING": "a=b"}, {"SCRIPT_NAME": "/under"}, {"CONTENT_LENGTH": ""}),
        *({"CONTENT_TYPE": "application/json"}, {"CONTENT_LENGTH": "99999"}, {"CONTENT_LENGTH": "-1"}),
        *({"PATH_INFO": "/webhooks/sms/inbound/"}, {"PATH_INFO": "/"}),
        *({"PATH_INFO": "/webhooks/sms/status/1/"}, {"PATH_INFO": "/login/"}),
    ],
    ids=str,
)
def test_whatever_looks_different_is_left_to_django_untouched(
    front: Front, text: Message, unusual: dict[str, str]
) -> None:
    assert front.post(address(text), said(text, "sent"), **unusual) == 299
    assert not CarrierEvent.objects.exists()


def test_a_form_of_too_many_fields_is_refused(front: Front, text: Message) -> None:
    assert front.post(address(text), {f"F{n}": "x" for n in range(200)}) == 400
    assert not CarrierEvent.objects.exists()


def test_an_upper_case_id_is_no_address_of_ours_on_either_way(text: Message) -> None:
    path = f"/webhooks/sms/status/{str(text.public_id).upper()}/"

    assert post_as_carrier(path, said(text, "sent")).status_code == 404
    assert Front().post(path, said(text, "sent")) == 299


def test_second_ids_raise_the_alarm(post: Post, text: Message) -> None:
    with capture_logs() as logs:
        assert post(address(text), said(text, "delivered") | {"MessageSid": new_sid()}) == 204

    assert "second_carrier_id" in [entry["event"] for entry in logs]
    assert state_of(text) is MessageState.ACCEPTED
