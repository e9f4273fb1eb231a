"""When something of our own is broken: texts are kept, danger rings people, and nothing loops for ever."""

from datetime import timedelta

import pytest

from reminders import clock
from reminders.content.models import Template, TemplateVersion
from reminders.conversations import handling, keywords
from reminders.conversations.inbound import unread
from reminders.conversations.models import InboundMessage
from reminders.messaging.certain import LAST_RESORT, certain_words
from reminders.messaging.models import Message
from tests.answering import Story, begin, post_text, set_clock, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


def lose_all_texts(story: Story) -> None:
    Template.objects.filter(clinic=story.clinic).update(published=None)


def test_a_danger_sign_rings_and_is_answered_though_every_text_is_missing(story: Story) -> None:
    lose_all_texts(story)

    post_text(sender=story.phone, to=story.sender, body="struggling to get air")

    assert story.case().severity == "urgent"
    emergency, notice = Message.objects.get(kind="emergency"), Message.objects.get(kind="staff_notice")
    assert "911" in emergency.body
    assert story.clinic.name in emergency.body
    assert story.case().code in notice.body
    assert (emergency.template_version, notice.template_version) == (None, None)


def test_a_text_that_cannot_be_rendered_is_replaced_by_the_starter(story: Story) -> None:
    template = Template.objects.get(clinic=story.clinic, key="emergency", language="en")
    template.published = TemplateVersion.objects.create(
        clinic=story.clinic,
        template=template,
        number=2,
        body="{{ a_name_nobody_gives }} 911",
        created_at=story.started_at,
        published_at=story.started_at,
    )
    template.save()

    story.texts("struggling to get air")

    assert Message.objects.get(kind="emergency").body.startswith("Call 911")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("key", LAST_RESORT)
def test_where_even_the_starter_is_gone_a_built_in_sentence_says_it(
    key: str, language: str, settings: pytest.FixtureRequest, tmp_path: object
) -> None:
    story = begin()
    lose_all_texts(story)
    settings.BASE_DIR = tmp_path  # type: ignore[attr-defined]
    values = {"escalation_code": "K7Q2", "severity_word": "urgent", "link": "https://care.example/e/1"}

    words = certain_words(clinic=story.clinic, key=key, language=language, values=values)

    assert ("K7Q2" if key.startswith("staff") else "9") in words.body
    assert "{" not in words.body


def test_stop_is_honoured_though_its_confirmation_is_missing(story: Story) -> None:
    lose_all_texts(story)

    story.texts("STOP")

    assert Message.objects.get(kind="confirmation").to_number == story.phone


def break_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> None:
        raise RuntimeError("I cannot breathe")

    monkeypatch.setattr(handling, "read", broken)


def test_a_text_the_reader_fails_on_rings_people_because_nobody_knows_what_it_says(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_reader(monkeypatch)

    text = story.texts("I cannot breathe")

    assert (story.case().reason, story.case().severity) == ("unreadable", "urgent")
    assert (text.inbox, text.inbox_reason) == ("open", "unreadable")
    assert story.answers() == ["person_will_look"]
    assert story.rings() == [("therapist", "sms")]
    assert "breathe" not in capsys.readouterr().err


def break_handling(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_anything: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(handling, "answer_danger", broken)
    monkeypatch.setattr(handling, "handle_trend", broken)
    monkeypatch.setattr(keywords, "revoke_consent", broken)


def test_danger_that_cannot_be_handled_rings_people_first_and_is_tried_again(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_handling(patch)
        response = post_text(sender=story.phone, to=story.sender, body="struggling to get air")
        assert response.status_code == 200
        assert (story.answers(), story.case().severity) == (["emergency"], "urgent")
        assert InboundMessage.objects.get().handled_at is None

    work()

    assert InboundMessage.objects.get().handled_as == "red_flag"
    assert (story.answers(), len(story.cases()), len(story.rings())) == (["emergency"], 1, 1)
    assert not Message.objects.filter(kind="advice", state="scheduled").exists()


def test_a_stop_that_cannot_be_handled_is_kept_and_done_as_soon_as_it_can(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_handling(patch)
        assert post_text(sender=story.phone, to=story.sender, body="STOP").status_code == 200

    work()

    assert story.answers() == ["opt_out_confirmed"]


def test_a_text_that_can_never_be_handled_ends_in_the_inbox_and_lets_the_next_one_through(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_handling(monkeypatch)
    post_text(sender=story.phone, to=story.sender, body="2")
    post_text(sender=story.phone, to=story.sender, body="STOP and chest pain")
    work()
    assert InboundMessage.objects.filter(handled_at__isnull=True).count() == 2

    set_clock(story.started_at + timedelta(minutes=2))
    work()

    texts = InboundMessage.objects.order_by("id")
    assert [(text.handled_as, text.inbox, text.inbox_reason) for text in texts] == [
        ("not_handled", "open", "not_handled"),
        ("not_handled", "open", "not_handled"),
    ]
    assert story.case().severity == "urgent"
    assert unread(now=clock.now() + timedelta(minutes=1)) == []


def test_the_texts_of_one_phone_wait_for_the_one_that_fails_so_that_order_holds(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_in = story.asked()
    with monkeypatch.context() as patch:
        break_handling(patch)
        post_text(sender=story.phone, to=story.sender, body="6")
        post_text(sender=story.phone, to=story.sender, body="2")
        work()
        assert not InboundMessage.objects.filter(handled_at__isnull=False).exists()

    work()

    check_in.refresh_from_db()
    assert check_in.score == 6


def test_the_sweep_finds_what_a_lost_task_left(story: Story) -> None:
    post_text(sender=story.phone, to=story.sender, body="2")
    text = InboundMessage.objects.get()

    assert unread(now=text.received_at + timedelta(seconds=4)) == []
    assert unread(now=text.received_at + timedelta(seconds=6)) == [text.pk]


def test_no_name_number_or_word_of_anybody_is_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    story = begin(patient={"given_name": "Xochitl", "family_name": "Zamora"})
    lose_all_texts(story)
    with monkeypatch.context() as patch:
        break_handling(patch)
        post_text(sender=story.phone, to=story.sender, body="wheezing zebra, cannot breathe")
        post_text(sender=story.phone, to=story.sender, body="purple zebra")
        work()
    set_clock(story.started_at + timedelta(minutes=2))
    work()
    post_text(sender=story.phone, to="+13125550199", body="zebra")
    post_text(sender="+13125550188", to=story.sender, body="zebra")

    logged = capsys.readouterr().err + caplog.text
    assert "text_not_handled" in logged
    for secret in ("Xochitl", "Zamora", story.phone, "+13125550188", "zebra", "wheezing"):
        assert secret not in logged
