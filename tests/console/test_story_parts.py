"""The parts of the tests' stories hold together on the real database."""

import pytest

from tests import factories


@pytest.mark.django_db
def test_a_story_from_session_to_escalation_can_be_set_up() -> None:
    clinic = factories.make_clinic()
    staff = factories.make_staff(clinic=clinic)
    factories.make_ladder(clinic=clinic, clinicians=[staff.therapist, staff.owner])
    patient = factories.make_patient(clinic=clinic)
    session = factories.make_treatment_session(patient=patient, clinician=staff.therapist)
    plan = factories.make_plan(treatment_session=session, states={"heat": "delivered"})
    check_in = factories.make_check_in(plan=plan)
    reply = factories.make_inbound(
        patient=patient, intent="persists", score=7, because=[("score", "7"), ("hurts", "hurts")]
    )
    escalation = factories.make_escalation(patient=patient, treatment_session=session, check_in=check_in, inbound=reply)
    factories.make_template(clinic=clinic, key="advice_heat")

    assert [message.state for message in plan.messages.order_by("due_at")].count("delivered") == 2
    assert reply.understanding.because[1]["start"] == len("still 7, ")
    assert escalation.state == "open"
