"""Grouped reads for pages that show the whole clinic at a glance. Each costs a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from reminders.clinic.models import Clinic, Clinician, ConsentRecord, Patient, PatientPhone, TreatmentSession
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.core.quiet_hours import first_instant
from reminders.core.states import MISSED, CheckInState, MessageState
from reminders.insights.delivery import not_sent_again
from reminders.messaging.models import PRIORITY, QUESTIONS, Message, OutboxRow

TROUBLE: Final = frozenset(
    {
        MessageState.AMBIGUOUS,
        MessageState.UNRESOLVED,
        MessageState.REJECTED,
        MessageState.FAILED,
        MessageState.UNDELIVERED,
    }
)
"""States in which a text did not arrive, or nobody knows whether it did."""

TROUBLE_SHOWN_FOR: Final = timedelta(days=3)
SILENT_SHOWN_FOR: Final = timedelta(days=2)
MISSED_COUNTED_FOR: Final = timedelta(days=7)
INBOX_SHOWN_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day of a clinic, as two instants in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class CheckInBoard:
    """Where today's questions stand. Lists are cut at a limit; `counts` and `silent_causes` are of all.

    `silent_causes` are codes of why nobody answered, the most frequent first.
    """

    counts: dict[str, int]
    silent_causes: dict[str, int]
    due: list[Message]
    waiting: list[CheckIn]
    answered: list[CheckIn]
    silent: list[CheckIn]


def clinic_day(*, clinic: Clinic, now: datetime) -> Day:
    """Return the clinic's present day in its own zone; it has 23 or 25 hours when the clocks change."""
    zone = ZoneInfo(clinic.timezone)
    today = now.astimezone(zone).date()
    midnight = datetime.min.time()
    return Day(
        start=first_instant(day=today, wall=midnight, zone=zone),
        end=first_instant(day=today + timedelta(days=1), wall=midnight, zone=zone),
    )


def check_in_board(*, clinic: Clinic, now: datetime, limit: int = 25) -> CheckInBoard:
    """Return today's check-ins: still to be asked, waiting, answered, and silent with their causes."""
    day = clinic_day(clinic=clinic, now=now)
    # By the outbox, whose index leaves out what is finished and what is due on another day. A worker may hold one for
    # a moment; it is about to leave.
    waiting_texts = OutboxRow.objects.filter(
        sender__in=clinic.senders.values("pk"),
        priority__in=sorted(PRIORITY.values()),
        state=MessageState.SCHEDULED,
        due_at__lt=day.end,
    )
    due = Message.objects.filter(pk__in=waiting_texts.values("pk"), kind__in=QUESTIONS)
    waiting = Q(state=CheckInState.OPEN)
    answered = Q(state=CheckInState.ANSWERED, answered_at__gte=day.start)
    silent = Q(state=CheckInState.SILENT, closes_at__gte=now - SILENT_SHOWN_FOR)
    asked = CheckIn.objects.filter(clinic=clinic)
    counts = asked.filter(waiting | answered).aggregate(
        waiting=Count("id", filter=waiting), answered=Count("id", filter=answered)
    )
    causes = asked.filter(silent).order_by().values_list("silent_cause").annotate(times=Count("id"))
    by_cause = dict(sorted(causes, key=lambda pair: (-pair[1], pair[0])))
    rows = asked.select_related("patient", "treatment_session", "answer")
    return CheckInBoard(
        counts={"due": due.count(), **counts, "silent": sum(by_cause.values())},
        silent_causes=by_cause,
        due=list(due.select_related("patient", "treatment_session").order_by("due_at", "id")[:limit]),
        waiting=list(rows.filter(waiting).order_by("asked_at", "id")[:limit]),
        answered=list(rows.filter(answered).order_by("-answered_at", "-id")[:limit]),
        silent=list(rows.filter(silent).order_by("-closes_at", "-id")[:limit]),
    )


def inbox(
    *, clinic: Clinic, limit: int = 50, reason: str = "", assigned_to: Clinician | None = None
) -> list[InboundMessage]:
    """Return the texts a person should read, the oldest first.

    Only those with this inbox reason where one is given, and only those that one member of staff has taken on where
    one is named.
    """
    rows = InboundMessage.objects.filter(clinic=clinic, inbox=InboundMessage.Inbox.OPEN)
    if reason:
        rows = rows.filter(inbox_reason=reason)
    if assigned_to is not None:
        rows = rows.filter(assigned_to=assigned_to)
    return list(rows.select_related("patient", "understanding", "assigned_to").order_by("received_at", "id")[:limit])


def inbox_counts(*, clinic: Clinic) -> dict[str, int]:
    """Return how many texts wait for a reader, by inbox reason, the most first."""
    rows = InboundMessage.objects.filter(clinic=clinic, inbox=InboundMessage.Inbox.OPEN)
    counted = rows.values("inbox_reason").annotate(times=Count("id")).order_by("-times", "inbox_reason")
    return dict(counted.values_list("inbox_reason", "times"))


def inbox_of_one(*, clinician: Clinician) -> int:
    """Return how many texts that wait for a reader this member of staff has taken on."""
    return InboundMessage.objects.filter(
        clinic=clinician.clinic_id, inbox=InboundMessage.Inbox.OPEN, assigned_to=clinician
    ).count()


def inbox_handled(*, clinic: Clinic, now: datetime, limit: int = 50) -> list[InboundMessage]:
    """Return the texts of the last days that somebody has dealt with, the newest first."""
    rows = InboundMessage.objects.filter(
        clinic=clinic, inbox=InboundMessage.Inbox.DONE, received_at__gte=now - INBOX_SHOWN_FOR
    )
    return list(rows.select_related("patient", "understanding").order_by("-received_at", "-id")[:limit])


def delivery_trouble(*, clinic: Clinic, now: datetime, limit: int = 50) -> list[Message]:
    """Return the texts of the last days that did not arrive or may not have, the newest first."""
    rows = not_sent_again(
        Message.objects.filter(clinic=clinic, state__in=sorted(TROUBLE), changed_at__gte=now - TROUBLE_SHOWN_FOR)
    )
    return list(rows.select_related("patient", "clinician").order_by("-changed_at", "-id")[:limit])


def missed_count(*, clinic: Clinic, now: datetime) -> int:
    """Return how many texts of the last seven days patients did not get; the register under Delivery lists them."""
    missed = Message.objects.filter(
        clinic=clinic, patient__isnull=False, state__in=sorted(MISSED), changed_at__gte=now - MISSED_COUNTED_FOR
    )
    return not_sent_again(missed).count()


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One line of the patient list. `consent` is the newest decision about the primary number, or empty."""

    patient: Patient
    number: str
    consent: str
    last_session_at: datetime | None


def find_patients(*, clinic: Clinic, words: str, limit: int = 50) -> list[PatientRow]:
    """Return patients by parts of their name, their external id, or four or more digits of a phone; all where no words.

    In the order of their names, at most `limit`; three queries however many are found.
    """
    rows = Patient.objects.filter(clinic=clinic, erased_at=None)
    digits = "".join(character for character in words if character.isdigit())
    if len(digits) >= 4 and not any(character.isalpha() for character in words):
        numbers = PatientPhone.objects.filter(clinic=clinic, number__contains=digits)
        rows = rows.filter(Q(pk__in=numbers.values("patient_id")) | Q(external_id__iexact=words.strip()))
    else:
        for word in words.split()[:5]:
            rows = rows.filter(
                Q(given_name__icontains=word) | Q(family_name__icontains=word) | Q(external_id__iexact=word)
            )
    return _as_rows(clinic, rows, limit)


def likely_same(*, patient: Patient, limit: int = 8) -> list[PatientRow]:
    """Return others of the clinic who may be the same person: who share a phone, or the name."""
    shared = PatientPhone.objects.filter(clinic=patient.clinic_id, number__in=patient.phones.values("number")).values(
        "patient_id"
    )
    # The names' index finds the few of one family name; the given names of those are compared without case.
    namesakes = Q(family_name=patient.family_name, given_name__iexact=patient.given_name)
    others = Patient.objects.filter(Q(pk__in=shared) | namesakes, clinic=patient.clinic_id, erased_at=None).exclude(
        pk=patient.pk
    )
    return _as_rows(patient.clinic, others, limit)


def _as_rows(clinic: Clinic, rows: QuerySet[Patient], limit: int) -> list[PatientRow]:
    found = rows.annotate(last_session_at=_last_session_at(), number=_primary_number())
    ordered = list(found.order_by("family_name", "given_name", "id")[:limit])
    decisions = _newest_decisions(clinic, {row.number for row in ordered if row.number})
    return [PatientRow(row, row.number or "", decisions.get(row.number, ""), row.last_session_at) for row in ordered]


def _last_session_at() -> Subquery:
    # One look into an index for each row shown; a grouped maximum would read every session of the clinic.
    sessions = TreatmentSession.objects.filter(patient=OuterRef("pk")).order_by("-ended_at")
    return Subquery(sessions.values("ended_at")[:1])


def _primary_number() -> Subquery:
    return Subquery(PatientPhone.objects.filter(patient=OuterRef("pk"), is_primary=True).values("number")[:1])


def _newest_decisions(clinic: Clinic, numbers: set[str]) -> dict[str, str]:
    records = ConsentRecord.objects.filter(clinic=clinic, number__in=numbers, channel="sms")
    return dict(records.order_by("number", "-id").distinct("number").values_list("number", "decision"))
