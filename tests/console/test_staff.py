"""Staff: invitations, roles, new passwords by link, and accounts that end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reminders import clock
from reminders.clinic import staff as accounts
from reminders.clinic.account_models import StaffLink
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Role
from tests import factories
from tests.console.conftest import LogIn
from tests.factories import PASSWORD, Staff
from tests.messaging.threads import run_at_once

NEW_PASSWORD = "seventeen green umbrellas"
ROOM = {"first_name": "Sam", "last_name": "Silva", "role": "front_desk"}
JOIN = {
    "first_name": "Sam",
    "last_name": "Silva",
    "phone": "(312) 555-0177",
    "username": "sam.silva",
    "password": NEW_PASSWORD,
    "again": NEW_PASSWORD,
}


@pytest.fixture
def owner(staff: Staff, log_in: LogIn) -> Client:
    """The owner's browser."""
    return log_in(staff.owner)


def _link(page: str) -> str:
    """Return the path of the link that a page shows once."""
    return page.split("readonly>http://testserver")[1].split("<")[0]


def _invited(owner: Client) -> str:
    return _link(owner.post("/staff/", ROOM).content.decode())


def _opened(link: str) -> Client:
    client = Client()
    assert client.get(link)["Location"] == "/welcome/"
    return client


def _logs_in(username: str, password: str) -> bool:
    return Client().post("/login/", {"username": username, "password": password}).status_code == 302


def test_who_is_invited_makes_an_account_and_logs_in_with_the_role_given(owner: Client, clinic: Clinic) -> None:
    newcomer = _opened(_invited(owner))

    assert "Northside Physio as front desk" in newcomer.get("/welcome/").content.decode()
    done = newcomer.post("/welcome/", JOIN, follow=True).content.decode()

    assert "Log in with your user name" in done
    assert _logs_in("sam.silva", NEW_PASSWORD)
    made = Clinician.objects.get(username="sam.silva")
    assert (made.clinic, made.role, made.display_name, made.phone) == (
        clinic,
        "front_desk",
        "Sam Silva",
        "+13125550177",
    )
    assert not made.is_staff
    verbs = AuditEvent.objects.filter(clinic=clinic).values_list("verb", flat=True)
    assert {"staff_invited", "staff_joined"} <= set(verbs)


def test_an_invitation_works_once_and_looking_at_it_does_not_use_it_up(owner: Client) -> None:
    link = _invited(owner)
    first, second = _opened(link), _opened(link)
    assert first.post("/welcome/", JOIN).status_code == 302

    late = second.post("/welcome/", {**JOIN, "username": "somebody"})

    assert late.status_code == 410
    assert Client().get(link).status_code == 410
    assert not Clinician.objects.filter(username="somebody").exists()


def test_an_invitation_ends_after_seven_days(owner: Client) -> None:
    link = _invited(owner)
    StaffLink.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert "does not work any more" in Client().get(link).content.decode()
    assert "Link has expired" in owner.get("/staff/").content.decode()


def test_an_owner_withdraws_an_invitation(owner: Client) -> None:
    link = _invited(owner)

    page = owner.post(f"/staff/invitations/{StaffLink.objects.get().pk}/withdraw/", follow=True).content.decode()

    assert "is withdrawn" in page
    assert Client().get(link).status_code == 410


def test_the_secret_of_a_link_stands_nowhere_but_on_the_page_that_shows_it_once(owner: Client) -> None:
    secret = _invited(owner).removeprefix("/link/").strip("/")

    assert secret not in owner.get("/staff/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(l)::text FROM reminders_stafflink l")
        assert secret not in str(cursor.fetchall())
        cursor.execute("SELECT row_to_json(a)::text FROM reminders_auditevent a")
        assert secret not in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "password123456", "again": "password123456"}, "too common"),
        ({"password": "836194520174", "again": "836194520174"}, "entirely numeric"),
        ({"password": "sam.silva-123", "again": "sam.silva-123"}, "too similar"),
        ({"again": "seventeen green umbrella"}, "not the same"),
        ({"phone": "call me"}, "letters or an extension"),
        ({"username": "sam silva"}, "valid username"),
    ],
)
def test_what_is_wrong_with_an_account_is_said_and_nothing_typed_is_lost(
    owner: Client, wrong: dict[str, str], sentence: str
) -> None:
    newcomer = _opened(_invited(owner))

    response = newcomer.post("/welcome/", {**JOIN, **wrong})

    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert 'value="Silva"' in page
    assert newcomer.post("/welcome/", JOIN).status_code == 302, "the link was not used up by it"


def test_a_user_name_that_somebody_has_is_refused(owner: Client, staff: Staff) -> None:
    newcomer = _opened(_invited(owner))

    page = newcomer.post("/welcome/", {**JOIN, "username": staff.viewer.username})

    assert page.status_code == 422
    assert "Choose another" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_a_link_at_the_same_moment_one_gets_in() -> None:
    clinic = factories.make_clinic()
    owner = factories.make_clinician(clinic=clinic, role="owner")
    now = clock.now()
    link, _ = accounts.invite(clinic=clinic, role=Role.VIEWER, first_name="A", last_name="", by=owner, now=now)

    def joining(name: str) -> Callable[[], str]:
        def join() -> str:
            try:
                accounts.accept_invitation(
                    link=link, username=name, first_name="A", last_name="", phone="", password=NEW_PASSWORD, now=now
                )
            except ConflictError:
                return "late"
            return "in"

        return join

    assert sorted(run_at_once([joining("one"), joining("two")])) == ["in", "late"]


def test_an_owner_changes_a_role_and_it_counts_at_once(owner: Client, staff: Staff, log_in: LogIn) -> None:
    theirs = log_in(staff.viewer)
    assert theirs.get("/sessions/new/").status_code == 403

    owner.post(f"/staff/{staff.viewer.pk}/role/", {"role": "therapist"})

    assert theirs.get("/sessions/new/").status_code == 200
    assert AuditEvent.objects.get(verb="role_changed").details == {"before": "viewer", "after": "therapist"}


def test_the_last_owner_stays_an_owner(owner: Client, staff: Staff) -> None:
    refused = owner.post(f"/staff/{staff.owner.pk}/role/", {"role": "viewer"})

    assert refused.status_code == 422
    assert "only owner" in refused.content.decode()
    staff.owner.refresh_from_db()
    assert staff.owner.role == "owner"


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_remove_each_other_at_the_same_moment() -> None:
    clinic = factories.make_clinic()
    one, two = (factories.make_clinician(clinic=clinic, role="owner") for _ in range(2))

    def removing(who: Clinician, by: Clinician) -> Callable[[], bool]:
        def remove() -> bool:
            try:
                return accounts.switch_off(clinician=who, by=by, now=clock.now())
            except accounts.LastOwnerError:
                return False

        return remove

    assert sorted(run_at_once([removing(one, two), removing(two, one)])) == [False, True]


def test_an_account_that_is_switched_off_is_out_at_once_and_its_links_end(
    owner: Client, staff: Staff, log_in: LogIn
) -> None:
    theirs = log_in(staff.viewer)
    link = _link(owner.post(f"/staff/{staff.viewer.pk}/password-link/").content.decode())

    page = owner.post(f"/staff/{staff.viewer.pk}/off/", follow=True).content.decode()

    assert "cannot log in any more" in page
    assert theirs.get("/")["Location"].startswith("/login/")
    assert not _logs_in(staff.viewer.username, PASSWORD)
    assert Client().get(link).status_code == 410
    owner.post(f"/staff/{staff.viewer.pk}/on/")
    assert theirs.get("/").status_code == 302, "the old session stays ended"
    assert _logs_in(staff.viewer.username, PASSWORD)


def test_nobody_switches_off_their_own_account(owner: Client, staff: Staff) -> None:
    assert "Another owner can" in owner.post(f"/staff/{staff.owner.pk}/off/", follow=True).content.decode()
    assert owner.get("/staff/").status_code == 200


def test_a_link_for_a_new_password_signs_out_everywhere_and_ends_earlier_links(
    owner: Client, staff: Staff, log_in: LogIn
) -> None:
    theirs = log_in(staff.therapist)
    older = _link(owner.post(f"/staff/{staff.therapist.pk}/password-link/").content.decode())
    link = _link(owner.post(f"/staff/{staff.therapist.pk}/password-link/").content.decode())
    assert Client().get(older).status_code == 410
    assert theirs.get("/").status_code == 200, "the old password counts until the new one is set"

    holder = _opened(link)
    response = holder.post("/welcome/", {"password": NEW_PASSWORD, "again": NEW_PASSWORD})

    assert response["Location"] == "/login/"
    assert theirs.get("/").status_code == 302
    assert _logs_in(staff.therapist.username, NEW_PASSWORD)
    assert not _logs_in(staff.therapist.username, PASSWORD)
    assert AuditEvent.objects.filter(verb="password_set_by_link", clinician=staff.therapist).exists()


def test_an_owner_signs_a_colleague_out(owner: Client, staff: Staff, log_in: LogIn) -> None:
    theirs = log_in(staff.viewer)
    assert "In 1 browser now" in owner.get(f"/staff/{staff.viewer.pk}/").content.decode()

    owner.post(f"/staff/{staff.viewer.pk}/sign-out/")

    assert theirs.get("/").status_code == 302


def test_before_an_account_ends_its_page_says_what_is_still_in_its_hands(
    owner: Client, staff: Staff, clinic: Clinic
) -> None:
    patient = factories.make_patient(clinic=clinic)
    factories.make_escalation(patient=patient, owner=staff.therapist, state="acknowledged", acknowledged_at=clock.now())
    factories.make_inbound(patient=patient, inbox="open", inbox_reason="question", assigned_to=staff.therapist)
    factories.make_ladder(clinic=clinic, clinicians=[staff.therapist])

    page = owner.get(f"/staff/{staff.therapist.pk}/").content.decode()

    assert "1 open case is in their hands" in page
    assert "They are on call" in page
    assert "1 text in the" in page


def test_an_account_of_the_products_support_is_out_of_an_owners_hands(owner: Client, clinic: Clinic) -> None:
    support = factories.make_clinician(clinic=clinic, is_superuser=True, is_staff=True)

    assert "Support" in owner.get("/staff/").content.decode()
    assert owner.get(f"/staff/{support.pk}/").status_code == 404
    assert owner.post(f"/staff/{support.pk}/password-link/").status_code == 404


def test_the_list_asks_no_more_with_fifty_people(owner: Client, clinic: Clinic, log_in: LogIn) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            owner.get("/staff/")
        return len(asked)

    before = queries()
    for _ in range(30):
        log_in(factories.make_clinician(clinic=clinic))
        owner.post("/staff/", ROOM)

    assert queries() == before
