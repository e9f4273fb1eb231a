"""Many sessions laid out at once come to what one after the other would have come to."""

import random
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from reminders.clinic.consent import revoke_consent
from reminders.clinic.models import AuditEvent, Clinic, Patient, PatientPhone, ScreeningRecord, TreatmentSession
from reminders.clinic.services import void_treatment_session
from reminders.clinic.turns import plans_of, take_turns
from reminders.content.errors import MissingTextError
from reminders.content.models import ProtocolVersion, Step, Template
from reminders.content.services import publish
from reminders.core.advice import SCREENING_FACTS
from reminders.core.states import MessageState
from reminders.messaging import planning
from reminders.messaging.cancelling import withhold_advice
from reminders.messaging.errors import NoSenderError
from reminders.messaging.models import AftercarePlan, Message
from reminders.messaging.planning import plan_many
from tests.factories import make_escalation, make_patient, make_treatment_session, new_phone, phone_of
from tests.messaging.conftest import NOON
from tests.messaging.plans import HOUR, ready_clinic
from tests.messaging.slow_planning import plan_slowly
from tests.messaging.threads import Background, run_at_once, wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db
NOT_OURS_TO_COMPARE = {"id", "public_id", "plan_id"}
WAYS = (
    *(("accepted",), ("sent",), ("delivered",), ("undelivered",), ("failed",), ("sending",)),
    *(("sending", state) for state in ("ambiguous", "rejected", "accepted")),
    ("sending", "ambiguous", "unresolved"),
)


class World:
    """A few clinics with all kinds of patients and visits, by seed; two of them cannot plan everything."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clinics = [ready_clinic(name="Northside"), ready_clinic(name="Sur", language="es", quiet_start="21:00")]
        Step.objects.filter(clinic=self.clinics[1], key="otc").update(condition={"screening": {"ulcer": False}})
        Step.objects.filter(clinic=self.clinics[1], key="heat").update(when_quiet="skip")
        Step.objects.filter(clinic=self.clinics[1], key="exercise").update(
            when_quiet="earlier", condition={"techniques": ["deep"], "regions": ["calf", "neck"]}
        )
        self.without_text, self.without_sender = ready_clinic(), ready_clinic()
        Template.objects.filter(clinic=self.without_text, key="check_in").update(published=None)
        Template.objects.filter(clinic=self.clinics[1], key="advice_heat", language="es").update(published=None)
        self.without_sender.senders.all().delete()
        by_name = "{{ clinic_name }}: {{ first_name }}, move {% if drug == 'any' %}more{% endif %}. STOP ends texts."
        publish(clinic=self.clinics[0], key="advice_exercise", language="en", body=by_name, author=None, now=NOON)
        homes = [*self.clinics * 6, self.without_text, self.without_sender]
        self.patients = [self.patient(clinic) for clinic in homes]
        self.sessions = [self.visit(patient) for patient in self.patients for _ in range(self.rng.choice((1, 1, 2, 3)))]

    def patient(self, clinic: Clinic) -> Patient:
        """Somebody with or without answers, in some zone, on some phone."""
        rng = self.rng
        answers = {fact: rng.choice((False, False, False, True, None)) for fact in SCREENING_FACTS}
        patient = make_patient(
            clinic=clinic,
            given_name=rng.choice(("Dana", "Zoë", "Ана", "O'Neil\t")),
            language=rng.choice(("en", "es")),
            timezone=rng.choice(("America/Chicago", "America/New_York", "America/Phoenix", "Pacific/Honolulu")),
            birth_date=rng.choice((None, date(1980, 5, 13), date(2008, 5, 14), date(2010, 1, 1))),
            screening=rng.choice((None, answers, dict.fromkeys(SCREENING_FACTS, False))),
            consented=rng.random() < 0.9,
            now=NOON,
        )
        if rng.random() < 0.15:
            revoke_consent(clinic=clinic, number=phone_of(patient), method="keyword_stop", now=NOON)
        if rng.random() < 0.3:
            PatientPhone.objects.filter(patient=patient).update(state=rng.choice(("dead", "landline", "unreachable")))
        if rng.random() < 0.2:
            PatientPhone.objects.create(clinic=clinic, patient=patient, number=new_phone(), is_primary=False)
        return patient

    def visit(self, patient: Patient) -> TreatmentSession:
        """A visit of the last two days; several at the same minute are two techniques of one visit."""
        rng = self.rng
        ended_at = NOON - timedelta(minutes=rng.choice((0, 0, 7, 55, 130, 300, 700, 1300, 2900)))
        return make_treatment_session(
            patient=patient,
            ended_at=ended_at,
            now=NOON,
            technique=rng.choice(("deep", "superficial", "electro")),
            regions=rng.sample(("shoulder", "neck", "calf", "lower_back"), rng.randrange(3)),
        )

    def goes_on(self) -> None:
        """Some texts leave, some facts are corrected, some patients are in danger, some visits never were."""
        rng = self.rng
        for message in Message.objects.filter(state=MessageState.SCHEDULED).order_by("id"):
            if rng.random() < 0.3:
                for state in rng.choice(WAYS):
                    Message.objects.filter(pk=message.pk).update(state=state, attempts=1)
        for session in self.sessions:
            chance = rng.random()
            if chance < 0.5:
                ended_at = session.ended_at - timedelta(minutes=rng.choice((0, 30, 200)))
                fields = {"technique": rng.choice(("deep", "electro")), "ended_at": ended_at}
                TreatmentSession.objects.filter(pk=session.pk).update(revision=session.revision + 1, **fields)
            if chance < 0.1 or 0.5 < chance < 0.55:
                withhold_advice(treatment_session=session, now=NOON)
            if chance > 0.9:
                void_treatment_session(treatment_session=session, actor=AuditEvent.Actor.SYSTEM, now=NOON)
        for patient in self.patients[::5]:
            make_escalation(patient=patient, reason="red_flag", now=NOON - timedelta(minutes=rng.choice((-5, 60, 900))))
            ScreeningRecord.objects.create(clinic=patient.clinic, patient=patient, recorded_at=NOON, anticoagulant=True)
        self.sessions += [self.visit(patient) for patient in self.patients[::2]]


def everything() -> dict[str, list[Any]]:
    """All that planning writes, without the numbers that every run gives anew."""
    plans = dict(AftercarePlan.objects.values_list("id", "treatment_session_id"))
    messages = [
        {
            "plan": (plans[row["plan_id"]], row["plan__revision"]),
            **{name: value for name, value in row.items() if name not in NOT_OURS_TO_COMPARE},
        }
        for row in Message.objects.values(*[field.attname for field in Message._meta.concrete_fields], "plan__revision")
    ]
    events = AuditEvent.objects.filter(verb="planned").values(
        "clinic_id", "at", "actor", "clinician_id", "subject", "subject_id", "patient_id", "details"
    )
    return {
        "messages": sorted(messages, key=lambda row: (row["plan"], row["step_key"])),
        "plans": sorted(
            AftercarePlan.objects.values_list(
                "treatment_session_id", "revision", "state", "clinic_id", "protocol_version_id", "created_at"
            )
        ),
        "events": sorted(
            ({**event, "subject_id": plans[event["subject_id"]]} for event in events),
            key=lambda event: (event["subject_id"], event["details"]["revision"]),
        ),
        "planned": sorted(TreatmentSession.objects.values_list("id", "planned_revision")),
    }


def one_by_one(sessions: list[TreatmentSession]) -> dict[str, list[Any]]:
    """What the slow twin writes, the oldest visit first; it is taken back."""
    in_order = TreatmentSession.objects.filter(pk__in=[session.pk for session in sessions]).order_by("ended_at", "id")
    with transaction.atomic():
        for session in in_order:
            try:
                plan_slowly(treatment_session_id=session.pk, now=NOON)
            except (MissingTextError, NoSenderError):
                continue
        written = everything()
        transaction.set_rollback(True)
    return written


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_writes_exactly_what_one_by_one_would(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "BATCH", 7 if seed % 2 else 250)
    world = World(seed)
    for _ in range(2):
        expected = one_by_one(world.sessions)
        shuffled = world.rng.sample([session.pk for session in world.sessions], len(world.sessions))

        planned = plan_many(treatment_session_ids=[*shuffled, *shuffled[:3], 10**12], now=NOON)

        assert everything() == expected
        assert {type(error) for error in planned.failures.values()} == {MissingTextError, NoSenderError}
        assert planned.messages > 0
        world.goes_on()
        for session in world.sessions:
            session.refresh_from_db()


def test_a_batch_asks_the_database_as_often_for_twenty_sessions_as_for_two() -> None:
    clinics = [ready_clinic(), ready_clinic()]
    few, many = (
        [make_treatment_session(patient=make_patient(clinic=clinics[n % 2], now=NOON), now=NOON) for n in range(number)]
        for number in (2, 20)
    )
    counts = []
    for sessions in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert not plan_many(treatment_session_ids=[session.pk for session in sessions], now=NOON).failures
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_cannot_be_planned_anew_keeps_its_old_plan_and_spoils_no_other() -> None:
    broken, fine = (
        [make_treatment_session(patient=make_patient(clinic=clinic, now=NOON), now=NOON) for _ in range(3)]
        for clinic in (ready_clinic(), ready_clinic())
    )
    ids = [session.pk for session in broken + fine]
    plan_many(treatment_session_ids=ids, now=NOON)
    Template.objects.filter(clinic=broken[0].clinic, key="check_in").update(published=None)
    TreatmentSession.objects.filter(pk__in=ids).update(revision=2)

    planned = plan_many(treatment_session_ids=ids, now=NOON)

    assert planned.failures.keys() == {session.pk for session in broken}
    assert planned.messages == 12
    assert set(AftercarePlan.objects.filter(treatment_session__in=broken).values_list("revision", "state")) == {
        (1, "active")
    }
    assert {message.state for session in broken for message in session.messages.all()} == {"scheduled"}
    assert {
        session.planned_revision for session in TreatmentSession.objects.filter(patient__clinic=fine[0].clinic)
    } == {2}


def test_a_zone_that_nobody_knows_spoils_one_session() -> None:
    clinic = ready_clinic()
    lost, found = (make_treatment_session(patient=make_patient(clinic=clinic, now=NOON), now=NOON) for _ in range(2))
    Patient.objects.filter(pk=lost.patient_id).update(timezone="Mars/Olympus_Mons")

    planned = plan_many(treatment_session_ids=[lost.pk, found.pk], now=NOON)

    assert (planned.messages, list(planned.failures)) == (4, [lost.pk])


def test_a_session_whose_rows_the_database_refuses_spoils_no_other() -> None:
    clinic = ready_clinic()
    sessions = [make_treatment_session(patient=make_patient(clinic=clinic, now=NOON), now=NOON) for _ in range(7)]
    refused = sessions[4]
    version = ProtocolVersion.objects.get(clinic=clinic)
    AftercarePlan.objects.create(
        clinic=clinic,
        treatment_session=refused,
        protocol_version=version,
        revision=1,
        state="cancelled",
        created_at=NOON,
    )

    planned = plan_many(treatment_session_ids=[session.pk for session in sessions], now=NOON)

    assert (planned.messages, list(planned.failures)) == (24, [refused.pk])
    assert isinstance(planned.failures[refused.pk], IntegrityError)
    assert not refused.messages.exists()


@pytest.mark.django_db(transaction=True)
def test_batches_that_cross_leave_one_plan_each_and_never_wait_in_a_circle() -> None:
    patients = [make_patient(clinic=ready_clinic(), now=NOON) for _ in range(6)]
    ids = [
        make_treatment_session(patient=patient, ended_at=NOON - age, now=NOON).pk
        for age in (HOUR, timedelta(0))
        for patient in patients
    ]
    rng = random.Random(7)
    orders = [rng.sample(ids, 9) for _ in range(5)]

    written = run_at_once([partial(plan_many, treatment_session_ids=order, now=NOON) for order in orders])

    seen = {pk for order in orders for pk in order}
    assert sum(planned.messages for planned in written) == 4 * len(seen)
    assert AftercarePlan.objects.count() == len(seen)
    assert Message.objects.filter(state="scheduled", kind="advice").count() <= 3 * len(patients)


@pytest.mark.django_db(transaction=True)
def test_a_batch_sees_the_danger_that_was_told_while_it_waited_for_its_turn() -> None:
    clinic = ready_clinic()
    sessions = [make_treatment_session(patient=make_patient(clinic=clinic, now=NOON), now=NOON) for _ in range(3)]

    with transaction.atomic():
        take_turns(turns=[(clinic.pk, plans_of(sessions[1].patient_id))])
        planning_all = Background(
            lambda: plan_many(treatment_session_ids=[session.pk for session in sessions], now=NOON)
        )
        wait_until_somebody_waits_for_a_lock()
        make_escalation(patient=sessions[1].patient, reason="red_flag", now=NOON)
    planning_all.finish()

    assert [plan.state for plan in AftercarePlan.objects.order_by("treatment_session")] == [
        "active",
        "withheld",
        "active",
    ]
    assert set(sessions[1].messages.filter(kind="advice").values_list("state", "reason")) == {("cancelled", "red_flag")}
