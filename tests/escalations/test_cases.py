"""Cases: raised once, never less serious than they were, taken by one, closed with an outcome."""

from datetime import datetime, timedelta

import pytest

from reminders import clock
from reminders.clinic.models import AuditEvent
from reminders.core.states import Severity
from reminders.escalations import services
from reminders.escalations.errors import AlreadyTakenError, EscalationNotFoundError
from reminders.escalations.models import Escalation
from reminders.escalations.selectors import history, worklist
from reminders.escalations.services import acknowledge, raise_escalation, resolve, ring_due
from reminders.messaging.models import Message
from tests.answering import NIGHT, Story, begin, send_due
from tests.factories import make_consent, make_escalation, make_inbound, make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return begin()


def raised(story: Story, severity: str = "urgent", *, reason: str = "red_flag", **about: object) -> Escalation:
    text = make_inbound(patient=story.patient, now=story.started_at)
    return raise_escalation(
        clinic=story.clinic,
        patient=story.patient,
        reason=reason,
        severity=Severity(severity),
        now=clock.now(),
        **{"inbound_id": text.pk, "treatment_session": story.session, **about},  # type: ignore[arg-type]
    )


def take(story: Story, case: Escalation, **how: object) -> Escalation:
    return acknowledge(
        **{  # type: ignore[arg-type]
            "escalation_id": case.pk,
            "clinic": story.clinic,
            "clinician": story.staff.owner,
            "via": "page",
            "now": clock.now(),
            **how,
        }
    )


def close(story: Story, case: Escalation, **how: object) -> Escalation:
    return resolve(
        **{  # type: ignore[arg-type]
            "escalation_id": case.pk,
            "clinic": story.clinic,
            "clinician": story.staff.owner,
            "outcome": "advised",
            "note": "spoke with her",
            "now": clock.now(),
            **how,
        }
    )


def test_one_text_raises_one_case_however_often_it_is_read(story: Story) -> None:
    text = make_inbound(patient=story.patient, now=story.started_at)

    cases = {raised(story, inbound_id=text.pk).pk for _ in range(3)}

    assert len(cases) == 1
    assert story.rings() == [("therapist", "sms")]


def test_one_text_raises_one_case_even_after_somebody_took_it(story: Story) -> None:
    text = make_inbound(patient=story.patient, now=story.started_at)
    take(story, raised(story, inbound_id=text.pk))

    raised(story, inbound_id=text.pk)

    assert len(story.cases()) == 1


def test_another_text_joins_the_open_case_and_a_taken_one_is_left_alone(story: Story) -> None:
    first = raised(story)
    joined = raised(story)
    take(story, first)
    fresh = raised(story)

    assert (joined, fresh == first) == (first, False)
    assert len(story.rings()) == 2


def test_the_second_case_of_a_question_stands_on_its_own(story: Story) -> None:
    check_in = story.asked()
    take(story, raised(story, "routine", reason="persists", check_in_id=check_in.pk))

    fresh = raised(story, "same_day", reason="persists", check_in_id=check_in.pk)

    assert (fresh.check_in, fresh.severity) == (None, "same_day")


def test_a_case_becomes_more_serious_and_never_less(story: Story) -> None:
    reached = [raised(story, severity).severity for severity in ("routine", "same_day", "routine", "urgent", "routine")]

    assert reached == ["routine", "same_day", "same_day", "urgent", "urgent"]
    assert [event.verb for event in history(escalation=story.case())][:3] == [
        "raised",
        "became_more_serious",
        "became_more_serious",
    ]
    assert len(story.rings()) == 2


def test_what_later_texts_say_is_added(story: Story) -> None:
    raised(story, details={"flags": ["neuro"], "score": 6})
    raised(story, details={"flags": ["breathing"], "score": None})

    assert story.case().details == {"flags": ["breathing", "neuro"], "score": 6}


@pytest.mark.parametrize(
    ("severity", "at", "due_after"),
    [
        ("urgent", NIGHT, timedelta(minutes=15)),
        ("same_day", None, timedelta(hours=4)),
        ("same_day", NIGHT, timedelta(hours=6 + 4)),
        ("routine", None, timedelta(hours=24)),
    ],
)
def test_a_case_is_due_within_the_clinics_hours_and_an_urgent_one_within_minutes(
    severity: str, at: datetime | None, due_after: timedelta
) -> None:
    story = begin(at=at) if at else begin()

    case = raised(story, severity)

    assert case.due_at - case.created_at == pytest.approx(due_after, abs=timedelta(seconds=30))


def test_a_same_day_notice_waits_for_the_clinic_to_open() -> None:
    story = begin(at=NIGHT)

    raised(story, "same_day")

    assert send_due() == []
    notice = Message.objects.get(kind="staff_notice")
    assert notice.due_at == datetime.fromisoformat("2025-03-05T14:00:00+00:00")  # 8:00 in Chicago
    assert notice.clinician == story.staff.therapist


def test_a_same_day_notice_goes_up_the_ladder_where_the_treating_clinician_has_no_phone(story: Story) -> None:
    story.staff.therapist.phone = ""
    story.staff.therapist.save()

    raised(story, "same_day")

    assert story.rings() == [("owner", "sms")]


def test_hours_that_cannot_be_read_do_not_stop_an_urgent_case(story: Story) -> None:
    story.clinic.opening_hours = {"tue": ["eight", "late"]}
    story.clinic.save()

    assert raised(story).severity == "urgent"


def test_whoever_takes_a_case_owns_it_and_the_notices_that_wait_are_taken_back() -> None:
    story = begin(at=NIGHT)
    case = raised(story, "same_day")

    taken = take(story, case)

    assert (taken.state, taken.owner, taken.acknowledged_via) == ("acknowledged", story.staff.owner, "page")
    assert (Message.objects.get(kind="staff_notice").state, Message.objects.get(kind="staff_notice").reason) == (
        "cancelled",
        "acknowledged",
    )
    assert [event.verb for event in history(escalation=case)] == ["raised", "acknowledged"]


def test_taking_ones_own_case_again_changes_nothing(story: Story) -> None:
    case = raised(story)
    first = take(story, case)

    assert take(story, case, via="sms").acknowledged_via == first.acknowledged_via == "page"
    assert AuditEvent.objects.filter(verb="acknowledged").count() == 1


def test_a_colleague_cannot_take_what_is_taken(story: Story) -> None:
    case = take(story, raised(story))

    with pytest.raises(AlreadyTakenError):
        take(story, case, clinician=story.staff.therapist)


def test_a_strangers_clinic_has_no_such_case(story: Story) -> None:
    case = raised(story)
    other = begin(name="Southside Physio")

    with pytest.raises(EscalationNotFoundError):
        take(other, case, clinician=other.staff.owner)
    with pytest.raises(EscalationNotFoundError):
        close(other, case, clinician=other.staff.owner)
    assert list(worklist(clinic=other.clinic)) == []


def test_the_patient_of_an_urgent_case_hears_once_that_it_was_taken(story: Story) -> None:
    case = raised(story)
    send_due()

    take(story, case)
    take(story, case)

    told = [one for one in send_due() if one.to_number == story.phone]
    assert len(told) == 1
    assert "Your PT got your message" in told[0].body  # type: ignore[union-attr]


def test_the_patient_of_a_lesser_case_is_not_texted_about_it(story: Story) -> None:
    take(story, raised(story, "same_day"))

    assert story.answers() == []


def test_a_patient_who_opted_out_is_not_told(story: Story) -> None:
    make_consent(patient=story.patient, decision="revoked", now=story.started_at)

    take(story, raised(story))

    assert story.phone not in {one.to_number for one in send_due()}


def test_the_one_who_wrote_is_told_though_nobody_knows_them(story: Story) -> None:
    story.texts("chest pain", sender="+13125550188")

    take(story, story.case())

    assert story.answers("+13125550188") == ["emergency", "clinician_acknowledged"]


def test_a_missing_text_never_stops_an_acknowledgement(story: Story, settings: object, tmp_path: object) -> None:
    case = raised(story)
    story.clinic.templates.update(published=None)
    settings.BASE_DIR = tmp_path  # type: ignore[attr-defined]

    assert take(story, case).state == "acknowledged"


def test_a_case_is_closed_with_its_outcome_and_stays_closed(story: Story) -> None:
    case = raised(story)

    closed = close(story, case)

    assert (closed.state, closed.outcome, closed.owner) == ("resolved", "advised", story.staff.owner)
    assert closed.next_ring_at is None
    assert list(worklist(clinic=story.clinic)) == []
    with pytest.raises(AlreadyTakenError):
        close(story, case)
    with pytest.raises(AlreadyTakenError):
        take(story, case, clinician=story.staff.therapist)


def test_an_outcome_nobody_knows_is_refused(story: Story) -> None:
    with pytest.raises(ValueError, match="Choose one of"):
        close(story, raised(story), outcome="went well")


def test_the_worklist_shows_the_urgent_first_and_then_the_oldest(story: Story) -> None:
    def case(severity: str, minutes: int) -> Escalation:
        return make_escalation(
            patient=story.patient, severity=severity, now=story.started_at - timedelta(minutes=minutes), reason=severity
        )

    routine, new, old, urgent = case("routine", 90), case("same_day", 5), case("same_day", 60), case("urgent", 1)

    assert list(worklist(clinic=story.clinic)) == [urgent, old, new, routine]


def test_a_code_is_never_that_of_a_live_case_and_may_come_back_after(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LETTERS", "B")
    for name, shape in (("SHORT_CODE", ("B", "2")), ("LONG_CODE", ("B", "2", "B"))):
        monkeypatch.setattr(services, name, shape)
    first, second = raised(story, reason="one"), raised(story, reason="two")
    assert (first.code, second.code) == ("B2", "B2B")

    close(story, first)

    assert raised(story, reason="three").code == "B2"


def test_no_words_and_no_names_are_in_notices_or_on_record() -> None:
    story = begin(patient={"given_name": "Xochitl", "family_name": "Zamora"})
    story.texts("struggling to get air")
    ring_due(now=clock.now() + timedelta(minutes=5))
    take(story, story.case())

    kept = [str(event.details) for event in AuditEvent.objects.all()] + [str(story.case().details)]
    kept += Message.objects.filter(clinician__isnull=False).values_list("body", flat=True)
    for secret in ("Xochitl", "Zamora", story.phone, "air"):
        assert not any(secret in one for one in kept)


def test_patients_of_one_clinic_do_not_share_cases(story: Story) -> None:
    other = make_patient(clinic=story.clinic, now=story.started_at)
    raised(story)

    text = make_inbound(patient=other, now=story.started_at)
    fresh = raise_escalation(
        clinic=story.clinic,
        patient=other,
        reason="red_flag",
        severity=Severity.URGENT,
        now=clock.now(),
        inbound_id=text.pk,
    )

    assert fresh.patient == other
    assert len(story.cases()) == 2
