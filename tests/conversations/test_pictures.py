"""Pictures that patients send: fetched from the carrier, kept encrypted, deleted there, or refused with a reason."""

from collections.abc import Iterator
from datetime import timedelta

import aiohttp
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from reminders import clock
from reminders.celery import app
from reminders.conversations.models import InboundMessage, Picture
from reminders.conversations.pictures import TAKEN_FOR, TRIED_AGAIN_AFTER, open_picture, overdue_pictures
from reminders.conversations.tasks import fetch_picture, read_texts
from reminders.management.scheduler_loop import chores
from tests.answering import Story, begin, new_sid, post_text, set_clock
from tests.delivery.media_server import PNG, Answer, MediaServer, goes_on_for_ever, leads_to, media_server, says

pytestmark = pytest.mark.django_db

GONE = says(204)


@pytest.fixture
def story() -> Story:
    return begin()


@pytest.fixture
def carrier(settings: Settings) -> Iterator[MediaServer]:
    """The carrier's API, as it is configured where the sandbox is used."""
    with media_server(says(200, PNG)) as server:
        settings.TWILIO_API_BASE_URL = server.url
        yield server


def send(story: Story, carrier: MediaServer, *answers: Answer, body: str = "", count: int = 1) -> InboundMessage:
    """Let the patient send pictures; the carrier will answer so when they are asked for."""
    carrier.answers[:] = answers
    sid = new_sid("MM")
    media = {f"MediaUrl{n}": f"{carrier.url}/Media/ME{n}" for n in range(count)}
    media |= {f"MediaContentType{n}": "image/jpeg" for n in range(count)}
    return story.texts(body, sid=sid, NumMedia=str(count), **media)


def look(text: InboundMessage) -> list[Picture]:
    """Let the worker's task run for each picture of a text."""
    for picture in text.pictures.order_by("position"):
        fetch_picture(picture.pk)
    return list(text.pictures.order_by("position"))


def wait(story: Story, by: timedelta) -> None:
    """Move the clock on."""
    set_clock(clock.now() + by)


def stored_bytes(picture: Picture) -> bytes:
    """The column as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM reminders_picture WHERE id = %s", [picture.pk])
        return bytes(cursor.fetchone()[0])


def test_a_picture_is_kept_encrypted_and_then_deleted_at_the_carrier(story: Story, carrier: MediaServer) -> None:
    text = send(story, carrier, says(200, PNG), GONE, body="look at this")

    (picture,) = look(text)

    assert (picture.state, picture.media_type, picture.size) == ("kept", "image/png", len(PNG))
    assert picture.declared_type == "image/jpeg", "kept as it was declared, and not believed"
    assert picture.fetched_at is not None
    assert picture.removed_at is not None
    assert picture.next_try_at is None
    assert PNG[:40] not in stored_bytes(picture)
    assert b"bruise" not in stored_bytes(picture)
    assert open_picture(picture) == PNG
    authorization = aiohttp.encode_basic_auth(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    assert carrier.asked == [("GET", "/Media/ME0", authorization), ("DELETE", "/Media/ME0", authorization)]


def test_the_row_is_there_before_the_carrier_is_thanked_even_where_the_text_is_settled_at_once(story: Story) -> None:
    media = {"NumMedia": "2", "MediaUrl0": "https://carrier.example/0", "MediaUrl1": "https://carrier.example/1"}
    response = post_text(sender=story.phone, to=story.sender, body="I can't breathe", **media)

    assert response.status_code == 200
    assert InboundMessage.objects.get().handled_as == "red_flag"
    rows = Picture.objects.order_by("position").values_list("position", "state", "clinic_id", "next_try_at")
    assert list(rows) == [(n, "waiting", story.clinic.pk, InboundMessage.objects.get().received_at) for n in (0, 1)]


def test_the_same_text_posted_twice_has_its_pictures_once(story: Story) -> None:
    sid = new_sid("MM")
    for _ in range(2):
        post_text(
            sender=story.phone, to=story.sender, body="", sid=sid, NumMedia="1", MediaUrl0="https://carrier.example/0"
        )

    assert Picture.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(200, b"<svg><script>alert(1)</script></svg>", Content_Type="image/png"), "wrong_type"),
        (says(200, b"<!doctype html><h1>hello", Content_Type="image/jpeg"), "wrong_type"),
        (says(200, b""), "wrong_type"),
        (goes_on_for_ever, "too_large"),
        (leads_to("http://169.254.169.254/latest/meta-data/"), "address"),
        (leads_to("https://127.0.0.1:1/"), "address"),
        (says(410), "missing"),
    ],
)
def test_what_is_no_picture_or_not_to_be_fetched_is_refused_with_a_reason(
    story: Story, carrier: MediaServer, answer: Answer, reason: str
) -> None:
    text = send(story, carrier, answer)

    (picture,) = look(text)

    assert (picture.state, picture.refusal, picture.content) == ("refused", reason, None)
    assert picture.next_try_at is None
    assert {method for method, *_ in carrier.asked} == {"GET"}, "the carrier's copy is then the only one"
    text.refresh_from_db()
    assert (text.inbox, text.inbox_reason) == ("open", "photo")


def test_a_picture_that_is_not_there_yet_is_fetched_a_little_later(story: Story, carrier: MediaServer) -> None:
    text = send(story, carrier, says(404), says(503), says(200, PNG), GONE)

    (first,) = look(text)
    (too_soon,) = look(text)
    wait(story, TRIED_AGAIN_AFTER[0])
    (second,) = look(text)
    wait(story, TRIED_AGAIN_AFTER[1])
    (third,) = look(text)

    assert [one.state for one in (first, too_soon, second, third)] == ["waiting", "waiting", "waiting", "kept"]
    assert [method for method, *_ in carrier.asked] == ["GET", "GET", "GET", "DELETE"]


def test_after_some_tries_a_picture_is_given_up_and_says_why(story: Story, carrier: MediaServer) -> None:
    text = send(story, carrier, says(401))

    for pause in (*TRIED_AGAIN_AFTER, timedelta()):
        (picture,) = look(text)
        wait(story, pause)

    assert (picture.state, picture.refusal) == ("refused", "not_allowed")
    assert len(carrier.asked) == 1 + len(TRIED_AGAIN_AFTER)


def test_a_copy_that_the_carrier_does_not_delete_is_asked_about_again(story: Story, carrier: MediaServer) -> None:
    text = send(story, carrier, says(200, PNG), says(500), GONE)

    (kept,) = look(text)
    wait(story, TRIED_AGAIN_AFTER[0])
    (removed,) = look(text)

    assert (kept.state, kept.removed_at, removed.removed_at is not None) == ("kept", None, True)
    assert [method for method, *_ in carrier.asked] == ["GET", "DELETE", "DELETE"]


def test_a_lost_task_is_found_by_the_sweep(story: Story, carrier: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    text = send(story, carrier, says(200, PNG), GONE)
    pictures = list(text.pictures.values_list("pk", flat=True))

    assert overdue_pictures(now=clock.now() - timedelta(seconds=1)) == [], "its task may still be on its way"
    wait(story, timedelta(seconds=6))
    assert overdue_pictures(now=clock.now()) == pictures
    app.conf.task_always_eager = True
    try:
        next(chore for chore in chores() if chore.name == "fetch_missed").run(clock.now())
    finally:
        app.conf.task_always_eager = False
    assert [one.state for one in text.pictures.all()] == ["kept"]
    assert overdue_pictures(now=clock.now() + timedelta(days=1)) == []


def test_no_reply_waits_behind_a_picture() -> None:
    assert app.amqp.router.route({}, fetch_picture.name)["queue"].name == "tidy"
    assert app.amqp.router.route({}, read_texts.name)["queue"].name == "think"


def test_a_task_that_runs_twice_or_whose_worker_died_fetches_once_each_time_it_is_taken(
    story: Story, carrier: MediaServer
) -> None:
    text = send(story, carrier, says(200, PNG), GONE)
    # A worker took it and died: nobody else asks while it may still be at work.
    Picture.objects.update(tries=1, next_try_at=clock.now() + TAKEN_FOR)

    (held,) = look(text)
    wait(story, TAKEN_FOR)
    look(text)
    (kept,) = look(text)

    assert (held.state, kept.state) == ("waiting", "kept")
    assert [method for method, *_ in carrier.asked] == ["GET", "DELETE"]


def test_each_picture_of_a_text_stands_for_itself(story: Story, carrier: MediaServer) -> None:
    text = send(story, carrier, says(200, PNG), GONE, says(200, b"%PDF-1.7"), says(200, PNG), GONE, count=3)

    assert [one.state for one in look(text)] == ["kept", "refused", "kept"]


def test_a_picture_is_opened_by_an_old_key_and_by_no_strangers(
    story: Story, carrier: MediaServer, settings: Settings
) -> None:
    text = send(story, carrier, says(200, PNG), GONE, says(200, PNG), GONE, count=2)
    first, second = look(text)
    old, new = settings.MEDIA_KEYS[0], Fernet.generate_key().decode()

    settings.MEDIA_KEYS = (new, old)
    assert open_picture(first) == PNG
    settings.MEDIA_KEYS = (new,)
    assert open_picture(first) is None
    settings.MEDIA_KEYS = (old,)
    first.content = second.content
    assert open_picture(first) is None, "another picture's bytes do not open in its place"


def test_a_picture_to_a_number_of_nobody_is_left_where_it_is(story: Story) -> None:
    post_text(sender=story.phone, to="+13125550177", body="", NumMedia="1", MediaUrl0="https://carrier.example/0")

    assert InboundMessage.objects.get().clinic is None
    assert not Picture.objects.exists()


def test_what_cannot_be_true_is_refused_by_the_database(story: Story, carrier: MediaServer) -> None:
    look(send(story, carrier, says(200, PNG), GONE))

    wrongs: list[dict[str, object]] = [
        {"content": None},
        {"media_type": ""},
        {"refusal": "missing"},
        {"state": "refused"},
        {"state": "x"},
    ]
    for wrong in wrongs:
        with pytest.raises(IntegrityError, match="picture_"), transaction.atomic():
            Picture.objects.update(**wrong)
