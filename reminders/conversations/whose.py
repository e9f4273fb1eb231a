"""Two patients on one phone: a text that could be either's is kept, and the phone is asked once whom it is about.

By number, outside both the 0 to 10 scale and the follow-up question's 11 to 13, with initials and never a name. A
danger sign is never held back by this: it is settled before, for everybody on the phone.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from reminders.clinic.models import Clinic, Patient
from reminders.conversations.models import CheckIn, InboundMessage, WhoseAnswer
from reminders.conversations.replies import answer
from reminders.core.understanding import Reading

FIRST_NUMBER = 21
MOST_PEOPLE = 9
# 85 % of those who answer a clinic's text do so within an hour (Rennes, J Med Syst 2019;43:217); then a person looks.
WINDOW = timedelta(hours=1)
# Who did not answer this question is not asked it again on the same day.
ASKED_LATELY = timedelta(hours=12)
REASON = "whose_answer"
_NUMBERS = re.compile(r"\d+")
_WORDS = {"en": ("for", " or "), "es": ("para", " o ")}


def ask_whose(
    *, inbound: InboundMessage, clinic: Clinic, reading: Reading, candidates: Sequence[Patient], now: datetime
) -> bool:
    """Keep a text and ask whom it is about; return whether that was asked. Where not, a person has to look.

    It is not asked where initials would not tell the people apart, or where the phone left the question unanswered
    within the last twelve hours.
    """
    people = sorted(candidates, key=lambda patient: patient.pk)
    initials = [_initials(patient) for patient in people]
    lately = WhoseAnswer.objects.filter(
        clinic=clinic, number=inbound.from_number, state=WhoseAnswer.State.GIVEN_UP, asked_at__gt=now - ASKED_LATELY
    )
    if len(set(initials)) < len(people) or len(people) > MOST_PEOPLE or lately.exists():
        return False
    language = reading.language or people[0].language
    each, last = _WORDS[language]
    choices = [f"{number} {each} {who}" for number, who in enumerate(initials, start=FIRST_NUMBER)]
    asked = answer(
        inbound=inbound,
        key="which_person",
        language=language,
        values={"person_choices": last.join([", ".join(choices[:-1]), choices[-1]])},
        now=now,
    )
    if asked is None:
        return False
    inbound.patient = None
    WhoseAnswer.objects.create(
        clinic=clinic,
        inbound=inbound,
        number=inbound.from_number,
        patient_ids=[patient.pk for patient in people],
        asked_at=now,
        closes_at=now + WINDOW,
    )
    return True


def waiting_for(*, clinic: Clinic, number: str) -> WhoseAnswer | None:
    """Return the question that this phone has not answered yet, with the text it is about."""
    return open_questions().filter(clinic=clinic, number=number).first()


def open_questions() -> QuerySet[WhoseAnswer]:
    """Return what waits for an answer, with the kept texts."""
    return WhoseAnswer.objects.filter(state=WhoseAnswer.State.OPEN).select_related(
        "clinic", "inbound__clinic", "inbound__clinician"
    )


def person_named(*, question: WhoseAnswer, body: str, people: Sequence[Patient]) -> Patient | None:
    """Return whom a text names by number; None where it is no such answer, or not a plain one."""
    numbers = _NUMBERS.findall(body)
    position = int(numbers[0]) - FIRST_NUMBER if len(numbers) == 1 and len(numbers[0]) == 2 else -1
    if not 0 <= position < len(question.patient_ids) or len(body.split()) > MOST_PEOPLE:
        return None
    return next((patient for patient in people if patient.pk == question.patient_ids[position]), None)


def settle(*, question: WhoseAnswer, now: datetime) -> None:
    """Note that the phone has said whom the kept text is about."""
    WhoseAnswer.objects.filter(pk=question.pk).update(state=WhoseAnswer.State.SETTLED, settled_at=now)


def give_up_on(*, question: WhoseAnswer, now: datetime) -> None:
    """Bring the kept text to a person: nobody said whom it is about."""
    WhoseAnswer.objects.filter(pk=question.pk).update(state=WhoseAnswer.State.GIVEN_UP, settled_at=now)
    InboundMessage.objects.filter(pk=question.inbound_id, inbox="").update(
        inbox=InboundMessage.Inbox.OPEN, inbox_reason=REASON
    )


def give_up_for(*, clinic: Clinic, number: str, now: datetime) -> None:
    """Bring what this phone was asked about to a person: something graver came, or it is not to be texted any more."""
    question = waiting_for(clinic=clinic, number=number)
    if question is not None:
        give_up_on(question=question, now=now)


def was_given_up(check_in: CheckIn) -> bool:
    """Tell whether an answer came while this question was open that nobody could tell apart from the other person's."""
    return WhoseAnswer.objects.filter(
        clinic=check_in.clinic_id,
        patient_ids__contains=[check_in.patient_id],
        state=WhoseAnswer.State.GIVEN_UP,
        asked_at__gte=check_in.asked_at,
    ).exists()


def _initials(patient: Patient) -> str:
    names = (patient.given_name, patient.family_name)
    return "".join(f"{name.strip()[0].upper()}." for name in names if name.strip())
