"""What came of it: counted from the rows, held against what people meant, beside the naive rule."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles
from zoneinfo import ZoneInfo

from reminders.clinic.models import Clinic, TreatmentSession
from reminders.clinic.selectors import next_opening
from reminders.conversations.models import CheckIn, InboundMessage, Understanding
from reminders.core.states import CheckInState, Severity
from reminders.core.understanding import Intent
from reminders.escalations.models import Escalation
from reminders.management.simulation.meaning import Meaning
from reminders.management.simulation.naive import CALLS_FROM, naive_calls, naive_score
from reminders.management.simulation.run import Diary, Written
from reminders.messaging.models import Kind, Message

HOUR = timedelta(hours=1)
RINGS = ("red_flag", "unreadable")
"""Reasons of cases that ring people because of what somebody wrote."""


@dataclass(frozen=True, slots=True)
class Replies:
    """Who answered."""

    questions: int
    answered: int
    answered_within_hour: int
    texts: int
    by_meaning: Mapping[str, int]
    silent_check_ins: int
    for_a_person_to_read: int


@dataclass(frozen=True, slots=True)
class RedFlags:
    """Danger signs that were written, missed (no urgent case, or no answer) and seen where there was none."""

    written: int
    missed: int
    false: int
    missed_words: Sequence[str] = ()
    false_words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Minutes until somebody took the cases of one level, from when the clinic was open (urgent: from the text)."""

    cases: int
    per_100_sessions: float
    median_minutes: float | None
    p90_minutes: float | None
    slowest_minutes: float | None
    not_taken: int


@dataclass(frozen=True, slots=True)
class Texts:
    """What patients got."""

    sent: int
    per_patient: float
    per_session: float
    most_for_one: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the clinic."""

    day: str
    count: int


@dataclass(frozen=True, slots=True)
class Naive:
    """The same answers under "the first number counts, 4 or more means a call"."""

    calls: int
    calls_per_100_sessions: float
    worst_day: Day
    red_flags_missed: int
    calls_without_need: int
    sore_without_call: int
    without_number: int


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run."""

    patients: int
    sessions: int
    replies: Replies
    red_flags: RedFlags
    taken: Mapping[str, Taken]
    texts: Texts
    worst_day: Day
    worst_day_of_calls: Day
    naive: Naive

    def as_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def make_report(*, patients: int, diary: Diary) -> Report:
    """Count everything; call it once the run has ended."""
    clinic = Clinic.objects.get()
    sessions = TreatmentSession.objects.count()
    cases = list(Escalation.objects.order_by("id"))
    calls = [case for case in cases if case.severity != Severity.ROUTINE]
    return Report(
        patients=patients,
        sessions=sessions,
        replies=_replies(diary),
        red_flags=_red_flags(diary.written),
        taken={str(severity): _taken(clinic, cases, severity, sessions) for severity in Severity},
        texts=_texts(patients, sessions),
        worst_day=_worst(clinic, [case.created_at for case in cases]),
        worst_day_of_calls=_worst(clinic, [case.created_at for case in calls]),
        naive=_naive(clinic, diary.written, sessions),
    )


def _replies(diary: Diary) -> Replies:
    answers = {(one.visit.id, one.reply.kind): one.reply.at for one in diary.written if one.reply.kind}
    waits = [at - diary.asked_at[key] for key, at in answers.items()]
    return Replies(
        questions=len(diary.asked_at),
        answered=len(answers),
        answered_within_hour=sum(wait <= HOUR for wait in waits),
        texts=len(diary.written),
        by_meaning=dict(Counter(str(one.reply.meaning) for one in diary.written).most_common()),
        silent_check_ins=CheckIn.objects.filter(state=CheckInState.SILENT).count(),
        for_a_person_to_read=InboundMessage.objects.exclude(inbox="").count(),
    )


def _red_flags(written: Sequence[Written]) -> RedFlags:
    rows = {row.message_sid: row for row in InboundMessage.objects.all()}
    dangers = [one for one in written if one.reply.meaning is Meaning.DANGER]
    missed = [one for one in dangers if not _is_rung_and_answered(rows.get(one.sid))]
    seen = set(Understanding.objects.filter(intent=Intent.RED_FLAG).values_list("inbound__message_sid", flat=True))
    seen |= set(Escalation.objects.filter(reason__in=RINGS).values_list("inbound__message_sid", flat=True))
    false = [one for one in written if one.sid in seen and one.reply.meaning is not Meaning.DANGER]
    return RedFlags(
        written=len(dangers),
        missed=len(missed),
        false=len(false),
        missed_words=[one.reply.body for one in missed],
        false_words=[one.reply.body for one in false],
    )


def _is_rung_and_answered(row: InboundMessage | None) -> bool:
    """Tell whether a danger sign has an urgent case that was raised by it or open when it came, and its answer."""
    if row is None or row.patient is None:
        return False
    urgent = Escalation.objects.filter(patient=row.patient, severity=Severity.URGENT, reason__in=RINGS)
    was_open = urgent.filter(created_at__lte=row.received_at).exclude(acknowledged_at__lt=row.received_at)
    is_rung = urgent.filter(inbound=row).exists() or was_open.exists()
    return is_rung and Message.objects.filter(in_reply_to=row, kind=Kind.EMERGENCY).exclude(carrier_sid="").exists()


def _taken(clinic: Clinic, cases: Sequence[Escalation], severity: Severity, sessions: int) -> Taken:
    these = [case for case in cases if case.severity == severity]
    waits = sorted(
        (case.acknowledged_at - _could_be_seen(clinic, case)) / timedelta(minutes=1)
        for case in these
        if case.acknowledged_at is not None
    )
    return Taken(
        cases=len(these),
        per_100_sessions=_per_100(len(these), sessions),
        median_minutes=round(median(waits), 1) if waits else None,
        p90_minutes=round(quantiles(waits, n=10, method="inclusive")[-1], 1) if len(waits) > 1 else None,
        slowest_minutes=round(waits[-1], 1) if waits else None,
        not_taken=len(these) - len(waits),
    )


def _could_be_seen(clinic: Clinic, case: Escalation) -> datetime:
    if case.severity == Severity.URGENT:
        return case.created_at
    return next_opening(clinic=clinic, at=case.created_at) or case.created_at


def _texts(patients: int, sessions: int) -> Texts:
    numbers = Message.objects.filter(clinician__isnull=True, channel="sms").exclude(carrier_sid="")
    per_phone = Counter(numbers.values_list("to_number", flat=True))
    return Texts(
        sent=per_phone.total(),
        per_patient=round(per_phone.total() / patients, 1),
        per_session=round(per_phone.total() / max(1, sessions), 1),
        most_for_one=max(per_phone.values(), default=0),
    )


def _naive(clinic: Clinic, written: Sequence[Written], sessions: int) -> Naive:
    # Such a system asks its question and nothing more: answers to a second one would not have been written.
    answers = [one for one in written if one.reply.answers in ("question", "nothing")]
    calls = [one for one in answers if naive_calls(one.reply.body)]
    needs = [one for one in answers if one.reply.meaning is Meaning.DANGER or _says_sore(one)]
    return Naive(
        calls=len(calls),
        calls_per_100_sessions=_per_100(len(calls), sessions),
        worst_day=_worst(clinic, [one.reply.at for one in calls]),
        red_flags_missed=sum(one.reply.meaning is Meaning.DANGER and one not in calls for one in answers),
        calls_without_need=sum(one not in needs for one in calls),
        sore_without_call=sum(_says_sore(one) and one not in calls for one in answers),
        without_number=sum(naive_score(one.reply.body) is None for one in answers),
    )


def _says_sore(one: Written) -> bool:
    if one.reply.meaning in (Meaning.SORE, Meaning.VERY_SORE):
        return True
    is_number = one.reply.meaning in (Meaning.NUMBER, Meaning.NUMBER_LOW, Meaning.NUMBER_HIGH)
    return is_number and one.reply.score >= CALLS_FROM


def _worst(clinic: Clinic, moments: Sequence[datetime]) -> Day:
    zone = ZoneInfo(clinic.timezone)
    days = Counter(moment.astimezone(zone).date() for moment in moments)
    if not days:
        return Day("", 0)
    day, number = max(days.items(), key=lambda item: (item[1], -item[0].toordinal()))
    return Day(f"{day:%a %Y-%m-%d}", number)


def _per_100(number: int, sessions: int) -> float:
    return round(100 * number / max(1, sessions), 2)
