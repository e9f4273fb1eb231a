"""Reads about clinics and patients."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import F, Max, Q

from reminders.clinic.models import Clinic, Patient, PatientPhone, ScreeningRecord, TreatmentSession
from reminders.core.advice import SCREENING_FACTS, AdviceDecision, Screening, decide_advice
from reminders.core.quiet_hours import first_instant

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def patients_by_number(*, clinic: Clinic, number: str) -> list[Patient]:
    """Return all patients of the clinic with this number (E.164), the one treated last first.

    A number that is in use for one patient and an old one of another belongs to both: who writes is for the caller.
    """
    return list(
        Patient.objects.filter(clinic=clinic, phones__number=number)
        .annotate(last_treated=Max("treatment_sessions__ended_at"))
        .order_by(F("last_treated").desc(nulls_last=True), "-id")
    )


def primary_phone(*, patient: Patient) -> PatientPhone:
    """Return the phone that texts go to. Raises PatientPhone.DoesNotExist where the patient has none."""
    return PatientPhone.objects.get(patient=patient, is_primary=True)


def newest_screening(*, patient: Patient) -> ScreeningRecord | None:
    """Return the screening that counts, or None where nobody asked."""
    return ScreeningRecord.objects.filter(patient=patient).order_by("-recorded_at", "-id").first()


def screening_answers(*, patient: Patient) -> Screening | None:
    """Return the newest screening as the pure core reads it, or None where nobody asked."""
    record = newest_screening(patient=patient)
    return None if record is None else Screening(**{fact: getattr(record, fact) for fact in SCREENING_FACTS})


def advice_for(*, treatment_session: TreatmentSession, now: datetime) -> AdviceDecision:
    """Decide what the texts of this session may say about heat and medicine, by the screening that counts now."""
    patient = treatment_session.patient
    return decide_advice(
        screening=screening_answers(patient=patient),
        technique=treatment_session.technique,
        age_years=age_years(patient=patient, now=now),
        regions=treatment_session.regions,
    )


def has_newer_session(*, treatment_session: TreatmentSession) -> bool:
    """Tell whether the patient has a later completed session; of two that ended at once the later recorded is newer."""
    ended_at = treatment_session.ended_at
    newer = Q(ended_at__gt=ended_at) | Q(ended_at=ended_at, pk__gt=treatment_session.pk)
    sessions = TreatmentSession.objects.filter(newer, patient=treatment_session.patient_id)
    return sessions.filter(status=TreatmentSession.Status.COMPLETED).exists()


def age_years(*, patient: Patient, now: datetime) -> int | None:
    """Return the patient's age in whole years on today's date where they live, or None where nobody knows."""
    return age_on(born=patient.birth_date, today=now.astimezone(ZoneInfo(patient.timezone)).date())


def age_on(*, born: date | None, today: date) -> int | None:
    """Return the age in whole years of somebody born on that day, or None where it is not known."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def is_open(*, clinic: Clinic, at: datetime) -> bool:
    """Tell whether the clinic's opening hours hold at the aware moment `at`."""
    return any(opens <= at < closes for opens, closes in _openings_near(clinic, at, days=1))


def next_opening(*, clinic: Clinic, at: datetime) -> datetime | None:
    """Return `at` where the clinic is open, else when it opens next, in UTC; None where it never opens."""
    for opens, closes in _openings_near(clinic, at, days=8):
        if at < closes:
            return max(opens, at.astimezone(UTC))
    return None


def _openings_near(clinic: Clinic, at: datetime, *, days: int) -> list[tuple[datetime, datetime]]:
    """Return the stretches of opening hours from the day before `at` on, in order."""
    zone = ZoneInfo(clinic.timezone)
    today = at.astimezone(zone).date()
    found = [_opening_on(clinic, today + timedelta(days=offset), zone) for offset in range(-1, days + 1)]
    return [opening for opening in found if opening is not None]


def _opening_on(clinic: Clinic, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    hours = clinic.opening_hours.get(WEEKDAYS[day.weekday()])
    if not hours:
        return None
    opens, closes = (time.fromisoformat(wall) for wall in hours)
    # Hours that end at midnight or later end on the next day.
    closing_day = day if closes > opens else day + timedelta(days=1)
    return first_instant(day=day, wall=opens, zone=zone), first_instant(day=closing_day, wall=closes, zone=zone)


def advice_for_many(*, sessions: Iterable[TreatmentSession], now: datetime) -> dict[int, AdviceDecision]:
    """Return what `advice_for` says of each of these sessions, by its id, with one query; their patients are loaded."""
    wanted = list(sessions)
    newest = (
        ScreeningRecord.objects.filter(patient__in={session.patient_id for session in wanted})
        .order_by("patient_id", "-recorded_at", "-id")
        .distinct("patient_id")
    )
    answers = {row.patient_id: Screening(**{fact: getattr(row, fact) for fact in SCREENING_FACTS}) for row in newest}
    return {
        session.pk: decide_advice(
            screening=answers.get(session.patient_id),
            technique=session.technique,
            age_years=age_years(patient=session.patient, now=now),
            regions=session.regions,
        )
        for session in wanted
    }
