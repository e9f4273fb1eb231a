"""Who gets where. A new address without a rule fails the first test."""

import pytest
from django.test import Client
from django.urls import URLPattern

from reminders import clock
from reminders.clinic.account_models import SignedInDevice
from reminders.clinic.api_keys import create_api_key
from reminders.clinic.models import Clinic, Clinician, Patient, Role
from reminders.clinic.staff import invite
from reminders.console.access import ROLES, May
from reminders.console.import_files import keep_upload
from reminders.console.urls import urlpatterns
from reminders.content.services import load_starters
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import Staff

OPEN_TO_ALL = {"login", "logout", "login_code", "staff_link", "welcome"}
READ_ONLY_FORMS = {"template_preview"}
"""Asked by POST because the words are long; nothing is stored."""


def _may(pattern: URLPattern) -> May | None:
    return getattr(pattern.callback, "may", None)


def _device_of(clinician: Clinician) -> SignedInDevice:
    Client().force_login(clinician)
    return SignedInDevice.objects.get(clinician=clinician)


@pytest.fixture
def addresses(clinic: Clinic, patient: Patient) -> dict[str, str]:
    """One real address of this clinic for each name."""
    session = factories.make_treatment_session(patient=patient)
    inbound = factories.make_inbound(patient=patient, inbox="open")
    unknown = factories.make_inbound(clinic=clinic, inbox="open", inbox_reason="unknown_number")
    case = factories.make_escalation(patient=patient, treatment_session=session)
    message = factories.make_message(patient=patient, state="unresolved")
    factories.make_template(clinic=clinic)
    load_starters(clinic=clinic, now=clock.now())
    check = factories.make_rehearsal_check(clinic=clinic)
    colleague = factories.make_clinician(clinic=clinic)
    link, _ = invite(clinic=clinic, role=Role.VIEWER, first_name="New", last_name="", by=colleague, now=clock.now())
    clerk = factories.make_clinician(clinic=clinic, role="front_desk")
    brought = keep_upload(content=b"id,phone\nA-1,1\n", clinician=clerk, now=clock.now()).public_id
    return {
        "today": "/",
        "today_live": "/today/live/",
        "more": "/more/",
        "inbox": "/inbox/",
        "inbox_answer": f"/inbox/{inbound.pk}/answer/",
        "inbox_assign": f"/inbox/{inbound.pk}/assign/",
        "inbox_back": f"/inbox/{inbound.pk}/back/",
        "inbox_whose": f"/inbox/{unknown.pk}/whose/",
        "inbox_number": f"/inbox/{inbound.pk}/number/",
        "phone_number": f"/phones/{patient.phones.get().pk}/number/",
        "delivery_number": f"/delivery/texts/{message.pk}/number/",
        "inbox_done": f"/inbox/{inbound.pk}/done/",
        "patients": "/patients/",
        "patient": f"/patients/{patient.pk}/",
        "picture": f"/pictures/{factories.make_picture(inbound=inbound).public_id}/",
        "escalation": f"/escalations/{case.pk}/",
        "escalation_acknowledge": f"/escalations/{case.pk}/acknowledge/",
        "escalation_number": f"/escalations/{case.pk}/number/",
        "escalation_tell": f"/escalations/{case.pk}/tell/",
        "escalation_snooze": f"/escalations/{case.pk}/aside/",
        "escalation_end_snooze": f"/escalations/{case.pk}/back/",
        "escalation_hand_over": f"/escalations/{case.pk}/hand-over/",
        "escalation_resolve": f"/escalations/{case.pk}/resolve/",
        "patient_export": f"/patients/{patient.pk}/file/",
        "consent": f"/phones/{patient.phones.get().pk}/consent/",
        "patient_edit": f"/patients/{patient.pk}/correct/",
        "patient_same": f"/patients/{patient.pk}/same/",
        "patient_merge": f"/patients/{patient.pk}/same/{factories.make_patient(clinic=clinic).pk}/",
        "patient_erase": f"/patients/{patient.pk}/erase/",
        "patient_write": f"/patients/{patient.pk}/write/",
        "templates": "/templates/",
        "template": "/templates/check_in/en/",
        "template_version": "/templates/check_in/en/versions/1/",
        "template_restore": "/templates/check_in/en/versions/1/restore/",
        "template_preview": "/templates/check_in/en/preview/",
        "protocols": "/protocols/",
        "protocol": "/protocols/dry-needling/",
        "protocol_draft": "/protocols/dry-needling/draft/",
        "protocol_check": f"/protocols/dry-needling/checks/{check.pk}/",
        "protocol_check_remove": f"/protocols/dry-needling/checks/{check.pk}/remove/",
        "protocol_replay": "/protocols/dry-needling/replay/",
        "protocol_copy": "/protocols/dry-needling/copy/",
        "protocol_use": "/protocols/dry-needling/use/",
        "protocol_publish": "/protocols/dry-needling/publish/",
        "protocol_discard": "/protocols/dry-needling/draft/discard/",
        "protocol_version": "/protocols/dry-needling/versions/1/",
        "protocol_restore": "/protocols/dry-needling/versions/1/restore/",
        "delivery": "/delivery/",
        "delivery_mark_sent": f"/delivery/texts/{message.pk}/sent/",
        "delivery_not_arrived": f"/delivery/texts/{message.pk}/not-arrived/",
        "delivery_send_again": f"/delivery/texts/{message.pk}/again/",
        "delivery_number_fine": f"/delivery/numbers/{patient.phones.get().pk}/fine/",
        "delivery_sender_resume": f"/delivery/senders/{message.sender_id}/resume/",
        "insights": "/insights/",
        "insights_csv": "/insights/replies.csv",
        "setup": "/setup/",
        "setup_clinic": "/setup/clinic/",
        "setup_hours": "/setup/hours/",
        "setup_senders": "/setup/numbers/",
        "setup_pace": f"/setup/numbers/{message.sender_id}/pace/",
        "setup_test": "/setup/test/",
        "setup_ladder": "/setup/ladder/",
        "setup_keys": "/setup/keys/",
        "setup_key_revoke": f"/setup/keys/{create_api_key(clinic=clinic, label='EHR', now=clock.now())[0].pk}/revoke/",
        "setup_starters": "/setup/starters/",
        "setup_pause": "/setup/pause/",
        "setup_resume": "/setup/resume/",
        "staff": "/staff/",
        "staff_member": f"/staff/{colleague.pk}/",
        "staff_role": f"/staff/{colleague.pk}/role/",
        "staff_password_link": f"/staff/{colleague.pk}/password-link/",
        "staff_sign_out": f"/staff/{colleague.pk}/sign-out/",
        "staff_off": f"/staff/{colleague.pk}/off/",
        "staff_on": f"/staff/{colleague.pk}/on/",
        "staff_withdraw": f"/staff/invitations/{link.pk}/withdraw/",
        "staff_codes_off": f"/staff/{colleague.pk}/codes-off/",
        "account": "/account/",
        "account_alive": "/account/alive/",
        "account_password": "/account/password/",
        "account_codes": "/account/codes/",
        "account_codes_confirm": "/account/codes/confirm/",
        "account_recovery": "/account/codes/recovery/",
        "account_codes_off": "/account/codes/off/",
        "account_device_end": f"/account/devices/{_device_of(colleague).pk}/end/",
        "account_devices_end_others": "/account/devices/end-others/",
        "import": "/import/",
        "import_columns": f"/import/{brought}/",
        "import_check": f"/import/{brought}/check/",
        "import_run": f"/import/{brought}/run/",
        "import_refused": f"/import/{brought}/refused/",
        "import_forget": f"/import/{brought}/forget/",
        "session_new": "/sessions/new/",
        "session_correct": f"/sessions/{session.pk}/",
        "session_void": f"/sessions/{session.pk}/void/",
    }


def _status(client: Client, address: str) -> int:
    """Ask by GET, and by POST where a page is only a button."""
    response = client.get(address)
    return client.post(address).status_code if response.status_code == 405 else response.status_code


def test_every_address_has_a_rule(addresses: dict[str, str]) -> None:
    names = {pattern.name for pattern in urlpatterns}
    without = {pattern.name for pattern in urlpatterns if _may(pattern) is None}

    assert without == OPEN_TO_ALL
    assert names - OPEN_TO_ALL == set(addresses), "add the new address to this test"


def test_who_is_not_logged_in_is_sent_to_the_login(addresses: dict[str, str]) -> None:
    for name, address in addresses.items():
        response = Client().get(address)
        if response.status_code == 405:
            response = Client().post(address)
        assert response.status_code == 302, name
        assert response["Location"].startswith("/login/"), name


def test_a_part_of_a_page_sends_the_whole_page_to_the_login() -> None:
    response = Client().get("/today/live/", headers={"HX-Request": "true"})

    assert response["HX-Redirect"] == "/login/"


@pytest.mark.parametrize("role", ["owner", "therapist", "front_desk", "viewer"])
def test_each_role_gets_what_the_table_says(addresses: dict[str, str], staff: Staff, log_in: LogIn, role: str) -> None:
    client = log_in(getattr(staff, role))
    for pattern in urlpatterns:
        may = _may(pattern)
        if may is None:
            continue
        status = _status(client, addresses[str(pattern.name)])
        allowed = role in ROLES[may]
        assert (status == 403) is not allowed, f"{pattern.name}: {status}"


def test_a_stranger_finds_nothing_of_another_clinic(
    addresses: dict[str, str], stranger: Clinician, log_in: LogIn
) -> None:
    client = log_in(stranger)
    with_an_object = [address for address in addresses.values() if any(char.isdigit() for char in address)]

    assert len(with_an_object) >= 13
    for address in with_an_object:
        assert _status(client, address) == 404, address


def test_a_stranger_cannot_enter_a_session_for_another_clinics_patient(
    stranger: Clinician, log_in: LogIn, patient: Patient
) -> None:
    assert log_in(stranger).get(f"/sessions/new/?patient={patient.pk}").status_code == 404


def test_a_front_desk_reads_texts_but_does_not_publish(addresses: dict[str, str], staff: Staff, log_in: LogIn) -> None:
    client = log_in(staff.front_desk)

    assert client.get(addresses["template"]).status_code == 200
    assert b"Publish as version" not in client.get(addresses["template"]).content
    refused = client.post(addresses["template"], {"body": "Hello", "action": "publish"})
    assert refused.status_code == 403


def test_a_viewer_sees_no_buttons_that_change_anything(addresses: dict[str, str], staff: Staff, log_in: LogIn) -> None:
    client = log_in(staff.viewer)
    for name in ("today", "patient", "escalation", "patients", "delivery"):
        page = client.get(addresses[name]).content.decode()
        forms = page.count('method="post"') - page.count('role="search"')
        assert forms == 1, f"{name}: only logging out is left"
        assert "New session" not in page
