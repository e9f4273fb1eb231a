"""Writing a text: what a phone will show, what it costs, and what keeps it from being published."""

import pytest
from django.test import Client

from reminders.clinic.models import Clinic
from reminders.content.models import Template
from reminders.core.texts import TEXTS
from tests import factories

GOOD = "{{ clinic_name }}: how sore are you, 0 to 10?{% if is_first %} Reply STOP to end.{% endif %}"
EDITOR = "/templates/check_in/en/"
PREVIEW = f"{EDITOR}preview/"


@pytest.fixture
def template(clinic: Clinic) -> Template:
    return factories.make_template(clinic=clinic, key="check_in")


def test_all_texts_are_listed_with_both_languages(therapist: Client, template: Template) -> None:
    page = therapist.get("/templates/").content.decode()

    assert page.count("English") == page.count("Spanish") == len(TEXTS)
    assert 'href="/templates/emergency/es/"' in page
    assert '<span class="version">v1</span>' in page
    assert "missing" in page


def test_an_unknown_text_or_language_is_not_found(therapist: Client) -> None:
    assert therapist.get("/templates/birthday/en/").status_code == 404
    assert therapist.get("/templates/check_in/fr/").status_code == 404


def test_the_phone_shows_the_words_for_the_chosen_patient(therapist: Client, template: Template) -> None:
    first = therapist.post(PREVIEW, {"body": GOOD, "is_first": "1"}).content.decode()
    later = therapist.post(PREVIEW, {"body": GOOD}).content.decode()

    assert "Northside Physio: how sore are you, 0 to 10? Reply STOP to end." in first
    assert "STOP" not in later
    assert "<b>1 part</b> · GSM-7" in later


def test_characters_that_make_a_text_dear_are_marked(therapist: Client, template: Template) -> None:
    page = therapist.post(PREVIEW, {"body": "¿Cómo está? 👍 " + GOOD}).content.decode()

    assert "UCS-2" in page
    assert ">👍</mark>" in page
    assert ">ó</mark>" in page
    assert "70 characters instead of 160" in page


def test_words_that_are_not_sent_have_no_price(therapist: Client) -> None:
    page = therapist.post("/templates/consent_disclosure/en/preview/", {"body": "I agree. {{ clinic_name }}"})

    assert "I agree. Northside Physio" in page.content.decode()
    assert "GSM-7" not in page.content.decode()


def test_a_problem_is_told_with_its_place(therapist: Client, template: Template) -> None:
    page = therapist.post(PREVIEW, {"body": "Hello\n{{ first_nam }}"}).content.decode()

    assert "Line 2" in page
    assert "first_name" in page, "the name that was probably meant"


def test_publishing_makes_a_new_version_and_keeps_the_old_one(therapist: Client, template: Template) -> None:
    response = therapist.post(EDITOR, {"body": GOOD, "action": "publish"}, follow=True)

    template.refresh_from_db()
    assert template.published is not None
    assert (template.published.number, template.published.body) == (2, GOOD)
    page = response.content.decode()
    assert "Published as version 2." in page
    assert "Version 1" in page


def test_a_first_text_without_stop_is_not_published(therapist: Client, template: Template) -> None:
    response = therapist.post(EDITOR, {"body": "How sore are you, 0 to 10?", "action": "publish"})

    assert response.status_code == 422
    assert "Let the text say STOP" in response.content.decode()
    template.refresh_from_db()
    assert template.published is not None
    assert template.published.number == 1


def test_a_draft_changes_nothing_for_patients(therapist: Client, template: Template) -> None:
    page = therapist.post(EDITOR, {"body": "Not ready {{", "action": "draft"}, follow=True).content.decode()

    template.refresh_from_db()
    assert template.published is not None
    assert template.published.number == 1
    assert "Draft kept." in page
    assert "Not ready {{" in page


def test_an_old_version_comes_back_into_the_editor(therapist: Client, template: Template) -> None:
    old = template.published
    assert old is not None
    therapist.post(EDITOR, {"body": GOOD, "action": "publish"})

    page = therapist.get(f"{EDITOR}?version=1").content.decode()

    assert old.body.split("?")[0] in page.split("<textarea")[1].split("</textarea>")[0]


def test_the_preview_works_without_script(therapist: Client, template: Template) -> None:
    page = therapist.post(EDITOR, {"body": "Hi from {{ clinic_name }}", "action": "preview"}).content.decode()

    assert "Hi from Northside Physio" in page
    assert Template.objects.get().versions.count() == 1


def test_an_empty_text_is_refused_beside_the_field(therapist: Client, template: Template) -> None:
    response = therapist.post(EDITOR, {"body": "", "action": "publish"})

    assert response.status_code == 422
    assert "Write the text; there is nothing to send." in response.content.decode()


OTC = "/templates/advice_otc/en/"
OPENING = "{{ clinic_name }}.{% if is_first %} Reply STOP to end.{% endif %} "


def test_a_medicine_that_anybody_would_be_told_of_is_shown_while_typing_and_not_published(
    therapist: Client, clinic: Clinic
) -> None:
    factories.make_template(clinic=clinic, key="advice_otc")
    unguarded = OPENING + "Sore? Take Advil. Tomar 2 tabletas."

    page = therapist.post(f"{OTC}preview/", {"body": unguarded, "drug": "any"}).content.decode()
    refused = therapist.post(OTC, {"body": unguarded, "action": "publish"})

    for said in (page, refused.content.decode()):
        assert "on a blood thinner" in said
        assert "under 18" in said
        assert "to take “advil”. Put those words inside {% if drug == &#39;any&#39; %}" in said
        assert "Take out the dose “2 tabletas”: never by text." in said
    assert page.count("“advil”") == 1, "each finding once"
    assert refused.status_code == 422
    assert Template.objects.get(key="advice_otc").published.number == 1  # type: ignore[union-attr]


def test_a_guarded_medicine_is_published(therapist: Client, clinic: Clinic) -> None:
    factories.make_template(clinic=clinic, key="advice_otc")
    guarded = OPENING + "Sore?{% if drug == 'any' %} Advil may help. Follow the label.{% endif %}"

    page = therapist.post(OTC, {"body": guarded, "action": "publish"}, follow=True).content.decode()

    assert "Published as version 2." in page
    assert "This would tell" not in page
