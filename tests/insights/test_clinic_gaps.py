"""What a clinic lacks, read from its rows."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reminders.clinic.models import Clinic
from reminders.content.models import Template
from reminders.content.services import load_starters
from reminders.core.texts import TEXTS
from reminders.insights.clinic_gaps import read_clinic_gaps
from tests.factories import make_clinic, make_clinician, make_ladder

pytestmark = pytest.mark.django_db


def test_a_clinic_with_nothing_lacks_everything(clinic: Clinic) -> None:
    clinic.senders.all().delete()

    (gaps,) = read_clinic_gaps()

    assert (gaps.clinic, gaps.senders, gaps.rungs, gaps.reachable, gaps.has_protocol) == (clinic.slug, 0, 0, 0, False)
    assert set(gaps.missing_texts) == set(TEXTS)


def test_a_clinic_that_was_set_up_lacks_nothing(clinic: Clinic, now: datetime) -> None:
    load_starters(clinic=clinic, now=now)
    make_ladder(clinic=clinic, clinicians=[make_clinician(clinic=clinic)])

    (gaps,) = read_clinic_gaps()

    assert (gaps.senders, gaps.rungs, gaps.reachable, gaps.has_protocol, gaps.missing_texts) == (1, 2, 1, True, ())


def test_a_text_of_the_protocol_in_spanish_alone_is_missing(clinic: Clinic, now: datetime) -> None:
    load_starters(clinic=clinic, now=now)
    Template.objects.filter(clinic=clinic, key="nudge", language="en").update(published=None)

    assert read_clinic_gaps()[0].missing_texts == ("nudge",)


def test_a_ladder_of_people_who_left_or_have_no_phone_is_none(clinic: Clinic) -> None:
    left = make_clinician(clinic=clinic, is_active=False)
    make_ladder(clinic=clinic, clinicians=[left, make_clinician(clinic=clinic, phone="")])

    (gaps,) = read_clinic_gaps()

    assert (gaps.rungs, gaps.reachable) == (0, 0)


def test_clinics_do_not_lend_each_other_anything_and_cost_no_query_each(clinic: Clinic, now: datetime) -> None:
    load_starters(clinic=clinic, now=now)
    make_clinician(clinic=clinic)
    with CaptureQueriesContext(connection) as one:
        read_clinic_gaps()
    other = make_clinic(slug="other")
    with CaptureQueriesContext(connection) as two:
        gaps = {gap.clinic: gap for gap in read_clinic_gaps()}

    assert (gaps[other.slug].reachable, gaps[other.slug].has_protocol) == (0, False)
    assert set(gaps[other.slug].missing_texts) == set(TEXTS)
    assert len(one) == len(two)
