"""What the fields of an import are called on its pages."""

from collections.abc import Mapping
from typing import Final

from reminders.clinic.column_guesses import END_DAY, END_TIME, FULL_NAME, LEFT_OUT, DateOrder
from reminders.console.wording import SCREENING
from reminders.core.advice import SCREENING_FACTS

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Session": {
        "external_id": "Number of the session",
        "ended_at": "End: day and time",
        END_DAY: "End: the day alone",
        END_TIME: "End: the time alone",
        "ended_minutes_ago": "End: minutes ago",
        "technique": "Technique",
        "regions": "Treated regions",
        "clinician": "Treated by (user name)",
        "soreness_before": "Soreness before",
        "soreness_after": "Soreness after",
        "status": "Status (completed, voided)",
    },
    "Patient": {
        FULL_NAME: "Whole name",
        "given_name": "Given name",
        "family_name": "Family name",
        "phone": "Mobile phone",
        "patient_external_id": "Record number of the patient",
        "birth_date": "Date of birth",
        "language": "Language of the texts",
        "timezone": "Time zone",
    },
    "Consent": {
        "consent": "Agreed to texts",
        "consent_method": "How they agreed",
        "consent_at": "When they agreed",
        "consent_disclosure": "Words they agreed to",
    },
    "Screening": {fact: SCREENING[fact] for fact in SCREENING_FACTS},
}
NAMES: Final = {field: name for fields in GROUPS.values() for field, name in fields.items()} | {"row": "The whole row"}

DATE_ORDERS: Final = [
    (str(DateOrder.YEAR_FIRST), "2025-03-04 17:40 (year first)"),
    (str(DateOrder.MONTH_FIRST), "3/4/2025 5:40 PM (month first)"),
    (str(DateOrder.DAY_FIRST), "4/3/2025 17:40 (day first)"),
]


def column_choices() -> list[tuple[str, object]]:
    """Return the fields as grouped choices, leaving a column out first."""
    return [(LEFT_OUT, "Leave this column out"), *((group, list(fields.items())) for group, fields in GROUPS.items())]


def problem_in_words(code: str) -> str:
    """Return a problem of the columns as a sentence."""
    kind, _colon, field = code.partition(":")
    name = NAMES[field]
    if kind == "twice":
        return f"“{name}” is chosen for two columns. Leave one of them out."
    return {
        "technique": "Choose the column with the technique, or one technique for all rows.",
        "ended_at": "Choose the column with the end of the session: day and time in one column, or in two.",
        "external_id": "Choose the column with the session’s own number: it keeps a session from being stored twice.",
    }.get(field, f"Choose the column with the {name.lower()}.")
