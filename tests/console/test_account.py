"""One's own account: password, one-time codes, and where one is signed in."""

import html
import re
from datetime import timedelta

import pyotp
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from reminders import clock
from reminders.clinic import one_time_codes
from reminders.clinic.account_models import OneTimeSecret
from reminders.clinic.devices import label_of
from reminders.clinic.models import AuditEvent, Clinician
from reminders.clinic.one_time_codes import STEP_SECONDS, Taken
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import PASSWORD, Staff
from tests.messaging.threads import run_at_once

NEW_PASSWORD = "seventeen green umbrellas"


def _code(secret: str, steps_ahead: int = 0) -> str:
    return pyotp.TOTP(secret).at(timezone.now() + timedelta(seconds=steps_ahead * STEP_SECONDS))


def _turn_on(client: Client) -> tuple[str, list[str]]:
    """Turn codes on as a person does; return the app's secret and the recovery codes."""
    client.post("/account/codes/", {"current": PASSWORD})
    shown = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', client.get("/account/codes/").content.decode())
    assert shown
    secret = shown[1].replace(" ", "")
    page = client.post("/account/codes/confirm/", {"code": _code(secret)}).content.decode()
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", page)
    assert len(codes) == 10
    return secret, codes


def _half_in(clinician: Clinician) -> Client:
    client = Client()
    response = client.post("/login/?next=/patients/", {"username": clinician.username, "password": PASSWORD})
    assert response["Location"] == "/login/code/"
    return client


def _is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_a_login_with_codes_on_asks_for_one_and_goes_where_one_wanted_to(therapist: Client, staff: Staff) -> None:
    secret, _ = _turn_on(therapist)

    client = _half_in(staff.therapist)
    assert not _is_in(client), "the password alone does not do"
    response = client.post("/login/code/", {"code": _code(secret, 1)})

    assert response["Location"] == "/patients/"
    assert _is_in(client)


def test_a_code_is_not_taken_a_second_time(therapist: Client, staff: Staff) -> None:
    secret, _ = _turn_on(therapist)
    code = _code(secret, 1)
    _half_in(staff.therapist).post("/login/code/", {"code": code})

    second = _half_in(staff.therapist)
    response = second.post("/login/code/", {"code": code})

    assert response.status_code == 422
    assert "used already" in response.content.decode()
    assert not _is_in(second)


def test_codes_of_other_times_are_not_taken(therapist: Client, staff: Staff) -> None:
    secret, _ = _turn_on(therapist)
    OneTimeSecret.objects.update(last_step=0)
    now = clock.now()
    at = timezone.now()

    def taken(steps: int) -> Taken | None:
        typed = pyotp.TOTP(secret).at(at + timedelta(seconds=steps * STEP_SECONDS))
        return one_time_codes.take(clinician=staff.therapist, typed=typed, at=at, now=now)

    assert [taken(-2), taken(2), taken(-1), taken(0), taken(1)] == [None, None, Taken.APP, Taken.APP, Taken.APP]
    assert taken(0) is None, "an earlier one than the last taken"


def test_after_five_wrong_codes_even_the_right_one_waits_wherever_they_came_from(
    therapist: Client, staff: Staff
) -> None:
    secret, _ = _turn_on(therapist)
    for number in range(5):
        client = _half_in(staff.therapist)
        client.post("/login/code/", {"code": "000000"}, REMOTE_ADDR=f"192.0.2.{number}")

    page = _half_in(staff.therapist).post("/login/code/", {"code": _code(secret, 1)})

    assert "Too many tries" in page.content.decode()


def test_a_recovery_code_opens_the_account_once_however_it_is_typed(therapist: Client, staff: Staff) -> None:
    _, codes = _turn_on(therapist)
    client = _half_in(staff.therapist)

    client.post("/login/code/", {"code": f" {codes[3].upper().replace('-', ' ')} "})

    assert "9 are left" in client.get("/").content.decode()
    assert _half_in(staff.therapist).post("/login/code/", {"code": codes[3]}).status_code == 422
    assert AuditEvent.objects.get(verb="recovery_code_used").details == {"left": 9}


@pytest.mark.django_db(transaction=True)
def test_of_many_logins_with_one_code_at_the_same_moment_one_gets_in() -> None:
    theo = factories.make_clinician(clinic=factories.make_clinic())
    now, at = clock.now(), timezone.now()
    one_time_codes.start(clinician=theo, now=now)
    secret = one_time_codes.unconfirmed_secret(clinician=theo)
    recovery = one_time_codes.confirm(clinician=theo, typed=pyotp.TOTP(secret).at(at), at=at, now=now)
    assert recovery
    later = at + timedelta(minutes=5)

    def log_in(typed: str) -> bool:
        return one_time_codes.take(clinician=theo, typed=typed, at=later, now=now) is not None

    assert sum(run_at_once([lambda: log_in(pyotp.TOTP(secret).at(later))] * 6)) == 1
    assert sum(run_at_once([lambda: log_in(recovery[0])] * 6)) == 1


def test_the_half_of_a_login_ends_with_time_and_with_a_new_password(therapist: Client, staff: Staff) -> None:
    secret, _ = _turn_on(therapist)
    slow, late = _half_in(staff.therapist), _half_in(staff.therapist)
    session = slow.session
    session["half_in"] = {**session["half_in"], "since": session["half_in"]["since"] - 301}
    session.save()
    assert slow.post("/login/code/", {"code": _code(secret, 1)})["Location"] == "/login/"

    staff.therapist.set_password(NEW_PASSWORD)
    staff.therapist.save()

    assert late.post("/login/code/", {"code": _code(secret, 1)})["Location"] == "/login/"
    assert Client().get("/login/code/")["Location"] == "/login/"


def test_the_administrations_login_is_no_way_around_the_code(staff: Staff, log_in: LogIn) -> None:
    staff.owner.is_staff = staff.owner.is_superuser = True
    staff.owner.save()
    _turn_on(log_in(staff.owner))
    client = Client()

    page = client.post("/admin/login/", {"username": staff.owner.username, "password": PASSWORD})

    assert "has one-time codes" in page.content.decode()
    assert not _is_in(client)


def test_codes_are_not_on_before_the_first_one_fits(therapist: Client, staff: Staff) -> None:
    therapist.post("/account/codes/", {"current": PASSWORD})

    refused = therapist.post("/account/codes/confirm/", {"code": "123"})

    assert refused.status_code == 422
    assert "do not fit" in html.unescape(refused.content.decode())
    assert Client().post("/login/", {"username": staff.therapist.username, "password": PASSWORD})["Location"] == "/"


@pytest.mark.parametrize("address", ["/account/codes/", "/account/codes/recovery/", "/account/codes/off/"])
def test_who_sits_down_at_an_open_page_needs_the_password_for_codes(therapist: Client, address: str) -> None:
    if address != "/account/codes/":
        _turn_on(therapist)

    refused = therapist.post(address, {"current": "guess"})

    assert refused.status_code == 422
    assert "This is not your password" in refused.content.decode()
    for _ in range(4):
        therapist.post(address, {"current": "guess"})
    assert "Too many tries" in therapist.post(address, {"current": PASSWORD}).content.decode()


def test_turning_codes_on_signs_out_everywhere_else(therapist: Client, staff: Staff, log_in: LogIn) -> None:
    elsewhere = log_in(staff.therapist)

    _turn_on(therapist)

    assert not _is_in(elsewhere)
    assert _is_in(therapist)


def test_new_recovery_codes_end_the_old_ones_and_codes_can_be_turned_off(therapist: Client, staff: Staff) -> None:
    _, old = _turn_on(therapist)
    therapist.post("/account/codes/recovery/", {"current": PASSWORD})
    assert _half_in(staff.therapist).post("/login/code/", {"code": old[0]}).status_code == 422

    therapist.post("/account/codes/off/", {"current": PASSWORD})

    assert Client().post("/login/", {"username": staff.therapist.username, "password": PASSWORD})["Location"] == "/"


def test_an_owner_ends_the_codes_of_who_lost_the_phone(therapist: Client, staff: Staff, log_in: LogIn) -> None:
    _turn_on(therapist)
    owner = log_in(staff.owner)
    assert "Phone lost?" in owner.get(f"/staff/{staff.therapist.pk}/").content.decode()

    owner.post(f"/staff/{staff.therapist.pk}/codes-off/")

    assert Client().post("/login/", {"username": staff.therapist.username, "password": PASSWORD})["Location"] == "/"
    assert AuditEvent.objects.get(verb="codes_turned_off").clinician == staff.owner


def test_an_owner_does_not_end_the_own_codes_without_the_password(staff: Staff, log_in: LogIn) -> None:
    owner = log_in(staff.owner)
    _turn_on(owner)

    owner.post(f"/staff/{staff.owner.pk}/codes-off/")

    assert one_time_codes.is_on(clinician=staff.owner)


def test_neither_the_secret_nor_a_recovery_code_can_be_read_in_the_database(therapist: Client) -> None:
    secret, codes = _turn_on(therapist)

    stored = ""
    with connection.cursor() as cursor:
        for table in ("onetimesecret", "recoverycode", "auditevent"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM reminders_{table} t")  # noqa: S608 names of tables
            stored += str(cursor.fetchall())
        cursor.execute("SELECT sealed FROM reminders_onetimesecret")
        sealed = bytes(cursor.fetchone()[0])
    assert secret not in stored
    assert secret.encode() not in sealed
    assert codes[0] not in stored
    assert codes[0].replace("-", "") not in stored


def test_the_picture_holds_what_an_app_needs(therapist: Client, staff: Staff) -> None:
    therapist.post("/account/codes/", {"current": PASSWORD})
    secret = one_time_codes.unconfirmed_secret(clinician=staff.therapist)

    address = one_time_codes.address_of(clinician=staff.therapist, secret=secret)

    parsed = pyotp.parse_uri(address)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.digits, parsed.interval, parsed.issuer) == (secret, 6, 30, "Aftercare")
    assert "<svg viewBox" in therapist.get("/account/codes/").content.decode()


def test_a_new_password_counts_at_once_and_signs_out_elsewhere(therapist: Client, staff: Staff, log_in: LogIn) -> None:
    elsewhere = log_in(staff.therapist)

    done = therapist.post(
        "/account/password/", {"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}, follow=True
    ).content.decode()

    assert "Your password is changed" in done
    assert "(here)" in done, "this browser stays signed in, and is on the list under its new key"
    assert not _is_in(elsewhere)
    assert Client().post("/login/", {"username": staff.therapist.username, "password": NEW_PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"current": "guess"}, "This is not your password"),
        ({"password": "abc", "again": "abc"}, "too short"),
        ({"again": "something else here"}, "not the same"),
    ],
)
def test_a_wrong_or_weak_password_changes_nothing(
    therapist: Client, staff: Staff, typed: dict[str, str], sentence: str
) -> None:
    right = {"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}

    refused = therapist.post("/account/password/", {**right, **typed})

    assert refused.status_code == 422
    assert sentence in refused.content.decode()
    staff.therapist.refresh_from_db()
    assert staff.therapist.check_password(PASSWORD)


def test_one_sees_where_one_is_signed_in_and_ends_one_or_all_others(staff: Staff) -> None:
    def enter(agent: str) -> Client:
        client = Client(headers={"User-Agent": agent})
        client.post("/login/", {"username": staff.viewer.username, "password": PASSWORD})
        return client

    here = enter("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
    phone = enter("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1")
    tablet = enter("curl/8")
    page = here.get("/account/").content.decode()
    assert "Firefox on Windows <span" in page
    assert "Safari on iPhone" in page
    ends = re.findall(r"/account/devices/(\d+)/end/", page)
    assert len(ends) == 2, "not the one in use"

    for name in ("Safari on iPhone",):
        place = page.index(name)
        here.post(re.findall(r"/account/devices/\d+/end/", page[place:])[0])
    assert [_is_in(one) for one in (here, phone, tablet)] == [True, False, True]
    here.post("/account/devices/end-others/")

    assert [_is_in(one) for one in (here, tablet)] == [True, False]
    assert AuditEvent.objects.filter(verb="signed_out_elsewhere").count() == 2


def test_nobody_ends_a_colleagues_session_as_their_own(therapist: Client, staff: Staff, log_in: LogIn) -> None:
    log_in(staff.owner)
    theirs = staff.owner.devices.get()

    assert therapist.post(f"/account/devices/{theirs.pk}/end/").status_code == 404
    assert staff.owner.devices.exists()


def test_a_browser_whose_session_is_over_is_not_on_the_list(therapist: Client, staff: Staff, log_in: LogIn) -> None:
    old = log_in(staff.therapist)
    Session.objects.filter(session_key=old.session.session_key).update(expire_date=timezone.now())

    assert therapist.get("/account/").content.decode().count("since <time") == 1
    log_in(staff.therapist)
    assert staff.therapist.devices.count() == 2


def test_one_changes_name_and_phone(therapist: Client, staff: Staff) -> None:
    refused = therapist.post("/account/", {"first_name": "Theodora", "phone": "12"})
    assert refused.status_code == 422
    assert 'value="Theodora"' in refused.content.decode()

    therapist.post("/account/", {"first_name": "Theodora", "last_name": "Tran", "phone": "312 555 0188"})

    staff.therapist.refresh_from_db()
    assert (staff.therapist.first_name, staff.therapist.phone) == ("Theodora", "+13125550188")
    assert AuditEvent.objects.get(verb="own_details_changed").details == {"fields": ["first_name", "phone"]}


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("<script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_in_words_people_know(agent: str, label: str) -> None:
    assert label_of(agent) == label


def test_sessions_of_anybody_that_are_long_over_are_removed_at_the_next_login(staff: Staff, log_in: LogIn) -> None:
    log_in(staff.viewer)
    Session.objects.update(expire_date=timezone.now() - timedelta(days=2))

    log_in(staff.therapist)

    assert Session.objects.count() == 1
