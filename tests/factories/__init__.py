"""Rows for tests: the same few parts play in all stories.

Each function makes one noun with what it cannot live without, and takes by keyword only what a test wants to say.
`now` is the moment the story stands at; where a test does not care it is the present.
"""

from tests.factories.answers import make_check_in, make_escalation, make_inbound, make_picture
from tests.factories.clinics import PASSWORD, WEEKDAYS, Staff, make_clinic, make_clinician, make_ladder, make_staff
from tests.factories.fresh import new_phone
from tests.factories.messages import make_message, make_plan
from tests.factories.patients import (
    DISCLOSURE,
    NOTHING_TO_REPORT,
    make_consent,
    make_patient,
    make_treatment_session,
    phone_of,
)
from tests.factories.words import DRY_NEEDLING, WORDS, make_protocol, make_rehearsal_check, make_template

__all__ = [
    "DISCLOSURE",
    "DRY_NEEDLING",
    "NOTHING_TO_REPORT",
    "PASSWORD",
    "WEEKDAYS",
    "WORDS",
    "Staff",
    "make_check_in",
    "make_clinic",
    "make_clinician",
    "make_consent",
    "make_escalation",
    "make_inbound",
    "make_ladder",
    "make_message",
    "make_patient",
    "make_picture",
    "make_plan",
    "make_protocol",
    "make_rehearsal_check",
    "make_staff",
    "make_template",
    "make_treatment_session",
    "new_phone",
    "phone_of",
]
