"""How fast finished sessions become dated texts: `python -m benchmarks.planning [--messages 20000] [--profile]`.

Sessions of as many patients, with their phones, consents and screenings, are laid out by batches as an import asks for
it: every row, index, foreign key and trigger of the product is there, every batch is committed, and the server is
durable. Runs on a server of its own in `.data/bench-planning`.
"""

import cProfile
import multiprocessing
import os
import pstats
import random
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from reminders.config import BASE_DIR

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Barrier

    from reminders.clinic.models import Clinic

WARM_UP_SESSIONS = 500
TEXTS_PER_PLAN = 4
ZONES = ("America/Chicago", "America/New_York", "America/Denver")
TECHNIQUES = ("deep", "superficial", "electro")
REGIONS = ("shoulder", "neck", "calf", "lower_back")


@click.command()
@click.option("--messages", default=20_000, show_default=True, help="Texts to lay out, four for each session.")
@click.option("--processes", default=2, show_default=True, help="Workers, as production runs several.")
@click.option("--profile", "shows_profile", is_flag=True, help="Show where one process spends its time.")
def main(messages: int, processes: int, shows_profile: bool) -> None:
    """Print texts laid out per second, of three runs with one process and with several."""
    _open_server()
    _as_in_a_worker()
    for workers in sorted({1, processes}):
        rates = [measure(messages, processes=workers) for _ in range(3)]
        print(f"{workers} processes: {', '.join(f'{rate:,.0f}' for rate in rates)} messages/s")
    if shows_profile:
        _profile(messages)


def measure(messages: int, *, processes: int = 2) -> float:
    """Return texts laid out per second, committed, by so many processes that share the work. Needs Django set up."""
    from reminders.messaging.planning import BATCH

    ids = _finished_sessions(messages // TEXTS_PER_PLAN)
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    if processes == 1:
        began = time.perf_counter()
        written = _plan_all(batches)
        return written / (time.perf_counter() - began)
    return _in_processes(batches, processes)


def _in_processes(batches: Sequence[Sequence[int]], processes: int) -> float:
    from django.db import connections

    connections.close_all()
    # Forked, as Celery's workers are. The clock runs from when all are connected until the last one is done.
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(processes + 1)
    results: SimpleQueue[int] = context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(batches[place::processes], ready, results)) for place in range(processes)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.perf_counter()
    written = sum(results.get() for _ in workers)
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return float(written / seconds)


def _work(batches: Sequence[Sequence[int]], ready: "Barrier", results: "SimpleQueue[int]") -> None:
    from django.db import connection

    connection.ensure_connection()
    ready.wait()
    results.put(_plan_all(batches))


def _plan_all(batches: Sequence[Sequence[int]]) -> int:
    from reminders import clock
    from reminders.messaging.planning import plan_many

    written = 0
    for batch in batches:
        planned = plan_many(treatment_session_ids=batch, now=clock.now())
        assert not planned.failures, planned.failures
        written += planned.messages
    return written


def _finished_sessions(number: int) -> list[int]:
    """Store a clinic with so many sessions that owe a plan, and return their ids.

    A clinic that exists has plans already, and a server that knows its tables' sizes.
    """
    from django.db import connection

    from reminders import clock

    now = clock.now()
    clinic = _clinic(now)
    ids = _sessions(clinic, WARM_UP_SESSIONS + number, now)
    _plan_all([ids[:WARM_UP_SESSIONS]])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return ids[WARM_UP_SESSIONS:]


def _clinic(now: datetime) -> "Clinic":
    from reminders.clinic.models import Clinic
    from reminders.content.services import load_starters
    from reminders.messaging.models import Sender

    clinic = Clinic.objects.create(
        name="Northside Physio",
        slug=f"bench-{uuid.uuid4().hex[:8]}",
        phone="+13125550142",
        booking_url="https://northside.example/book",
        reply_hours="weekdays 8 am to 6 pm",
    )
    clinic.refresh_from_db()
    Sender.objects.create(clinic=clinic, number=f"+1{random.randrange(10**10):010d}".replace("+10", "+12"))
    load_starters(clinic=clinic, now=now - timedelta(days=30))
    return clinic


def _sessions(clinic: "Clinic", number: int, now: datetime) -> list[int]:
    from reminders.clinic.models import ConsentRecord, Patient, PatientPhone, ScreeningRecord, TreatmentSession
    from reminders.core.advice import SCREENING_FACTS

    rng = random.Random(1)
    patients = Patient.objects.bulk_create(
        Patient(
            clinic=clinic,
            external_id=f"P-{n}",
            given_name="Dana",
            family_name="Reyes",
            birth_date=date(1950 + n % 60, 1 + n % 12, 1 + n % 28),
            language="en" if rng.random() < 0.8 else "es",
            timezone=rng.choice(ZONES),
            created_at=now,
        )
        for n in range(number)
    )
    numbered = [(patient, f"+1312{n % 10**7:07d}") for n, patient in enumerate(patients)]
    PatientPhone.objects.bulk_create(PatientPhone(clinic=clinic, patient=who, number=phone) for who, phone in numbered)
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            clinic=clinic, patient=who, number=phone, decision="granted", method="paper_form", recorded_at=now
        )
        for who, phone in numbered
    )
    ScreeningRecord.objects.bulk_create(
        ScreeningRecord(
            clinic=clinic, patient=who, recorded_at=now, **{fact: rng.random() < 0.05 for fact in SCREENING_FACTS}
        )
        for who in patients
    )
    sessions = TreatmentSession.objects.bulk_create(
        TreatmentSession(
            clinic=clinic,
            patient=who,
            external_id=f"S-{n}",
            technique=rng.choice(TECHNIQUES),
            regions=rng.sample(REGIONS, 2),
            ended_at=now - timedelta(minutes=rng.randrange(600)),
            created_at=now,
            updated_at=now,
        )
        for n, who in enumerate(patients)
    )
    return [session.pk for session in sessions]


def _profile(messages: int) -> None:
    from reminders.messaging.planning import plan_many

    ids = _finished_sessions(messages // TEXTS_PER_PLAN)
    profile = cProfile.Profile()
    profile.runcall(plan_many, treatment_session_ids=ids, now=datetime.now(UTC))
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def _as_in_a_worker() -> None:
    from reminders import celery

    celery.look_for_garbage_less_often()
    celery.keep_what_is_loaded()


def _open_server() -> None:
    from reminders import embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")
    os.environ["REMINDERS_DATA_DIR"] = str(BASE_DIR / ".data" / "bench-planning")
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    embedded.provide()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
