"""One clinic's day, for pages to be looked at: every state that a page can show happens to somebody."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reminders.clinic.models import AuditEvent, Clinic, Clinician, Patient, PatientPhone, TreatmentSession
from reminders.config import BASE_DIR
from reminders.content.models import ProtocolVersion, Template
from reminders.content.services import load_starters, save_draft
from reminders.conversations.models import InboundMessage, Picture
from reminders.escalations.keeping import snooze
from reminders.escalations.models import Escalation
from reminders.escalations.services import acknowledge, resolve
from reminders.messaging.models import Message, Sender
from reminders.sandbox.photo import photo_bytes
from tests import factories

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Day:
    """What the tests of the pages need to name."""

    clinic: Clinic
    therapist: Clinician
    sore: Patient
    breathless: Escalation
    taken: Escalation
    closed: Escalation
    session: TreatmentSession


def make_day() -> Day:
    """Set up the clinic, its staff and about a dozen patients in all states."""
    now = datetime.now(UTC).replace(microsecond=0)
    clinic = factories.make_clinic(name="Northside Physio & Rehab", slug="northside", phone="+13125550142")
    staff = factories.make_staff(clinic=clinic)
    therapist = staff.therapist
    therapist.username = "theo"
    therapist.save()
    staff.owner.username = "olivia"
    staff.owner.save()
    factories.make_ladder(clinic=clinic, clinicians=[therapist, staff.owner])
    load_starters(clinic=clinic, now=now - timedelta(days=90))
    save_draft(
        clinic=clinic,
        key="nudge",
        language="en",
        body="{{ clinic_name }}: how sore are you now, 0 to 10? One number is enough.",
        author=therapist,
        now=now - 5 * HOUR,
    )
    breathless = _breathless(clinic, therapist, now)
    sore, session = _sore(clinic, therapist, now)
    taken = _taken(clinic, therapist, now)
    closed = _closed(clinic, therapist, now)
    _routine(clinic, therapist, now)
    _set_aside(clinic, therapist, now)
    _quiet_ones(clinic, therapist, now)
    _inbox(clinic, now)
    _trouble(clinic, therapist, now)
    curve = tomllib.loads((BASE_DIR / "templates/protocols/dry-needling.toml").read_text())["thresholds"]
    ProtocolVersion.objects.filter(clinic=clinic).update(thresholds=curve)
    factories.make_rehearsal_check(clinic=clinic)
    planned = Message.objects.filter(clinic=clinic, step_key="check_in", state="scheduled")
    planned.update(template_version=Template.objects.get(clinic=clinic, key="check_in", language="en").published)
    return Day(clinic, therapist, sore, breathless, taken, closed, session)


def _treated(
    clinic: Clinic,
    therapist: Clinician,
    given: str,
    family: str,
    hours_ago: float,
    now: datetime,
    states: dict[str, str] | None = None,
    **session: object,
) -> TreatmentSession:
    patient = factories.make_patient(clinic=clinic, given_name=given, family_name=family, now=now)
    row = factories.make_treatment_session(
        patient=patient, clinician=therapist, ended_at=now - hours_ago * HOUR, now=now - hours_ago * HOUR, **session
    )
    done = {"heat": "delivered", "exercise": "delivered", "otc": "delivered", "check_in": "delivered"}
    factories.make_plan(treatment_session=row, now=row.ended_at, states=done if states is None else states)
    return row


def _breathless(clinic: Clinic, therapist: Clinician, now: datetime) -> Escalation:
    session = _treated(
        clinic,
        therapist,
        "Marisol",
        "Vega",
        19,
        now,
        {"heat": "delivered", "exercise": "delivered", "otc": "delivered", "check_in": "scheduled"},
        regions=["upper_back", "shoulder"],
    )
    reply = factories.make_inbound(
        patient=session.patient,
        body="its about a 2 but i am struggling to get air when i climb stairs",
        intent="red_flag",
        score=2,
        flags=["breathing"],
        because=[("score:number", "2"), ("breathing:short_of_breath", "struggling to get air")],
        now=now - 6 * MINUTE,
    )
    case = factories.make_escalation(
        patient=session.patient,
        severity="urgent",
        reason="red_flag",
        treatment_session=session,
        inbound=reply,
        now=now - 6 * MINUTE,
        rings=2,
        next_ring_at=now + 2 * HOUR,
    )
    factories.make_message(
        patient=session.patient,
        kind="emergency",
        state="delivered",
        body="This may be an emergency. Call 911 or go to the ER now. Do not wait for a text from us.",
        treatment_session=session,
        due_at=now - 6 * MINUTE,
    )
    _event(case, "raised", now - 6 * MINUTE, reason="red_flag", severity="urgent")
    for minutes, channel in ((6, "sms"), (3, "voice")):
        _event(case, "rang", now - minutes * MINUTE, clinician_id=therapist.pk, channel=channel)
        factories.make_message(
            clinician=therapist,
            kind="staff_notice",
            state="delivered",
            escalation=case,
            due_at=now - minutes * MINUTE,
            body="Urgent case. Open it behind your login.",
        )
    return case


def _event(case: Escalation, verb: str, at: datetime, **details: object) -> None:
    AuditEvent.objects.create(
        clinic=case.clinic,
        at=at,
        actor="system",
        verb=verb,
        subject="escalation",
        subject_id=case.pk,
        patient=case.patient,
        details=details,
    )


def _answered(session: TreatmentSession, body: str, score: int, rule: tuple[str, str], at: datetime) -> Escalation:
    plan = session.plans.get()
    check_in = factories.make_check_in(plan=plan, now=session.ended_at + 24 * HOUR)
    reply = factories.make_inbound(
        patient=session.patient,
        body=body,
        intent="persists",
        score=score,
        because=[("score:number", str(score)), rule],
        now=at,
    )
    check_in.state, check_in.outcome, check_in.score = "answered", "persists", score
    check_in.answer, check_in.answered_at = reply, at
    check_in.save()
    severity = "same_day" if score >= 7 else "routine"
    case = factories.make_escalation(
        patient=session.patient,
        severity=severity,
        reason="persists",
        treatment_session=session,
        check_in=check_in,
        inbound=reply,
        now=at,
    )
    _event(case, "raised", at, reason="persists", severity=severity)
    factories.make_message(
        patient=session.patient,
        kind="reply",
        state="delivered",
        body="Thank you. Your PT has been told. Is it better, the same or worse than this morning?",
        treatment_session=session,
        due_at=at + MINUTE,
    )
    return case


def _sore(clinic: Clinic, therapist: Clinician, now: datetime) -> tuple[Patient, TreatmentSession]:
    session = _treated(clinic, therapist, "Dana", "Reyes", 25.1, now, regions=["shoulder", "upper_arm"])
    _answered(session, "still 7, hurts to lift my arm", 7, ("persists:hurts", "hurts to lift"), now - 42 * MINUTE)
    older = factories.make_treatment_session(
        patient=session.patient, clinician=therapist, ended_at=now - timedelta(days=21), technique="superficial"
    )
    factories.make_plan(
        treatment_session=older,
        now=older.ended_at,
        states={"heat": "delivered", "exercise": "undelivered", "check_in": "delivered"},
    )
    older.messages.filter(step_key="otc").update(state="suppressed", reason="quiet_hours")
    older.messages.filter(step_key="exercise").update(reason="unreachable")
    return session.patient, session


def _taken(clinic: Clinic, therapist: Clinician, now: datetime) -> Escalation:
    session = _treated(clinic, therapist, "Noah", "Lindqvist", 26, now, regions=["neck"], technique="electro")
    _answered_before(session, therapist, now)
    case = _answered(session, "8 out of 10. worse than yesterday", 8, ("persists:worse", "worse"), now - 2 * HOUR)
    return acknowledge(escalation_id=case.pk, clinic=clinic, clinician=therapist, via="page", now=now - HOUR)


def _closed(clinic: Clinic, therapist: Clinician, now: datetime) -> Escalation:
    session = _treated(clinic, therapist, "Ines", "Okonkwo", 30, now, regions=["calf"])
    case = _answered(session, "about a 7 when I walk", 7, ("persists:walk", "when I walk"), now - 5 * HOUR)
    return resolve(
        escalation_id=case.pk,
        clinic=clinic,
        clinician=therapist,
        outcome="advised",
        note="Called. Walking eases it. Gentle stretching twice a day; comes in on Thursday.",
        now=now - 4 * HOUR,
    )


def _routine(clinic: Clinic, therapist: Clinician, now: datetime) -> None:
    session = _treated(clinic, therapist, "Bartholomew", "Featherstonehaugh-Whitaker", 27, now, regions=["lower_back"])
    _answered(session, "maybe a 5, still sore sitting down", 5, ("persists:still", "still sore"), now - 3 * HOUR)


def _set_aside(clinic: Clinic, therapist: Clinician, now: datetime) -> None:
    session = _treated(clinic, therapist, "Tomasz", "Zielinski", 28, now, regions=["forearm"])
    case = _answered(session, "a 5, only when I grip", 5, ("persists:grip", "when I grip"), now - 4 * HOUR)
    snooze(escalation_id=case.pk, clinic=clinic, clinician=therapist, until=now + 5 * HOUR, now=now - 3 * HOUR)


def _answered_before(session: TreatmentSession, therapist: Clinician, now: datetime) -> None:
    """Let the patient have answered after two earlier sessions, so that there is something to compare with."""
    for days, score in ((42, 5), (21, 3)):
        older = factories.make_treatment_session(
            patient=session.patient, clinician=therapist, ended_at=now - timedelta(days=days), technique="electro"
        )
        at = older.ended_at + 24 * HOUR
        plan = factories.make_plan(treatment_session=older, now=older.ended_at)
        factories.make_check_in(plan=plan, state="answered", outcome="resolved", score=score, now=at, answered_at=at)


def _quiet_ones(clinic: Clinic, therapist: Clinician, now: datetime) -> None:
    due = _treated(clinic, therapist, "Grace", "Kim", 22, now, {"heat": "delivered", "exercise": "delivered"})
    due.messages.filter(step_key="otc").update(state="expired", reason="expired")
    due.messages.filter(step_key="check_in").update(due_at=now + 20 * MINUTE)
    waiting = _treated(clinic, therapist, "Samuel", "Adeyemi", 25, now, technique="superficial")
    factories.make_check_in(plan=waiting.plans.get(), now=now - HOUR)
    fine = _treated(clinic, therapist, "Lucía", "Fernández", 25, now, regions=["hip"])
    answer = factories.make_inbound(
        patient=fine.patient, body="1, mucho mejor", intent="resolved", score=1, now=now - 10 * MINUTE
    )
    factories.make_check_in(
        plan=fine.plans.get(),
        now=now - HOUR,
        state="answered",
        outcome="resolved",
        score=1,
        answer=answer,
        answered_at=now - 10 * MINUTE,
    )
    silent = _treated(clinic, therapist, "Peter", "Novak", 40, now, regions=["thigh"])
    factories.make_check_in(
        plan=silent.plans.get(),
        now=now - 16 * HOUR,
        closes_at=now - HOUR,
        state="silent",
        outcome="silent",
        silent_cause="delivered_but_quiet",
    )
    stopped = _treated(clinic, therapist, "Amy", "Tanaka", 20, now, {"heat": "delivered"})
    factories.make_consent(patient=stopped.patient, decision="revoked", method="keyword_stop", now=now - 15 * HOUR)
    stopped.messages.filter(state="scheduled").update(
        state="suppressed", reason="opted_out", changed_at=now - 15 * HOUR
    )


def _inbox(clinic: Clinic, now: datetime) -> None:
    patient = factories.make_patient(clinic=clinic, given_name="Helen", family_name="Brandt", now=now)
    factories.make_inbound(
        patient=patient,
        body="Can I go swimming on Saturday?",
        intent="question",
        now=now - 35 * MINUTE,
        inbox=InboundMessage.Inbox.OPEN,
        inbox_reason="question",
    )
    factories.make_inbound(
        clinic=clinic,
        body="who is this",
        now=now - 20 * MINUTE,
        inbox=InboundMessage.Inbox.OPEN,
        inbox_reason="unknown_number",
    )
    bruised = factories.make_inbound(
        patient=patient,
        body="",
        media=[{"url": f"https://carrier.example/{n}", "type": "image/png"} for n in range(3)],
        now=now - 15 * MINUTE,
        inbox=InboundMessage.Inbox.OPEN,
        inbox_reason="photo",
    )
    factories.make_picture(inbound=bruised, content=photo_bytes(), now=now)
    factories.make_picture(inbound=bruised, position=1, media_type="image/heic", now=now)
    Picture.objects.create(clinic=clinic, inbound=bruised, position=2, state="refused", refusal="wrong_type")


def _trouble(clinic: Clinic, therapist: Clinician, now: datetime) -> None:
    landline = _treated(clinic, therapist, "Walter", "Haas", 3, now, {"heat": "undelivered"})
    landline.messages.filter(step_key="heat").update(reason="number_cannot_text", changed_at=now - HOUR)
    PatientPhone.objects.filter(patient=landline.patient).update(state="landline")
    unknown = _treated(clinic, therapist, "Rosa", "Jimenez", 2, now, {"heat": "ambiguous"})
    unknown.messages.filter(step_key="heat").update(reason="lease_ended", changed_at=now - 10 * MINUTE)
    undecided = _treated(clinic, therapist, "Leonie", "Grau", 4, now, {"heat": "delivered", "exercise": "unresolved"})
    undecided.messages.filter(step_key="exercise").update(reason="unknown_timeout", changed_at=now - 25 * MINUTE)
    late = _treated(clinic, therapist, "Omar", "Haddad", 50, now, {"heat": "unresolved", "check_in": "delivered"})
    late.messages.filter(step_key="heat").update(reason="lease_ended", changed_at=now - 40 * HOUR)
    factories.make_message(clinician=therapist, kind="staff_notice", state="unresolved", reason="unknown_timeout")
    for name, state in (("Ruth", "dead"), ("Femi", "unreachable"), ("Ana María", "quarantined")):
        patient = factories.make_patient(clinic=clinic, given_name=name, family_name="Quist", now=now)
        PatientPhone.objects.filter(patient=patient).update(state=state, state_changed_at=now - 26 * HOUR)
    Sender.objects.create(
        clinic=clinic,
        number="+13125550199",
        paused_until=datetime.now(UTC) + 4 * MINUTE,
        paused_reason="sender_fault",
    )
    for number in range(30):
        factories.make_message(
            patient=landline.patient, kind="check_in", step_key="check_in", state="suppressed",
            reason="phone_landline", now=now - (40 + number) * HOUR,
        )  # fmt: skip
