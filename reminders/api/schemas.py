"""What the API takes and gives, as its OpenAPI document tells it."""

from datetime import datetime
from typing import Any, Final, Literal

from ninja import Schema
from pydantic import Field

from reminders.api.problems import CONTENT_TYPE, ProblemDocument
from reminders.clinic.intake import CONSENT_METHODS, FIELDS, REGIONS, REQUIRED_FIELDS
from reminders.clinic.intake_values import LONGEST_WORDS
from reminders.clinic.models import Technique
from reminders.core.advice import SCREENING_FACTS

NOT_HERE: Final = frozenset({"ended_minutes_ago"})
"""For files of examples only: a system knows when a session ended."""

_KINDS: Final[dict[str, dict[str, Any]]] = {
    "status": {"type": "string", "enum": ["completed", "voided"], "default": "completed"},
    "technique": {"type": "string", "enum": list(Technique.values)},
    "regions": {"type": "array", "items": {"type": "string", "enum": list(REGIONS)}},
    "ended_at": {"type": "string", "format": "date-time"},
    "soreness_before": {"type": ["integer", "null"], "minimum": 0, "maximum": 10},
    "soreness_after": {"type": ["integer", "null"], "minimum": 0, "maximum": 10},
    "language": {"type": "string", "enum": ["", "en", "es"]},
    "birth_date": {"type": "string", "format": "date"},
    "consent": {"type": "string", "enum": ["yes", "no", ""]},
    "consent_method": {"type": "string", "enum": list(CONSENT_METHODS)},
    "consent_at": {"type": "string", "format": "date-time"},
    "consent_disclosure": {"type": "string", "maxLength": LONGEST_WORDS},
    **{fact: {"type": "string", "enum": ["yes", "no", "unknown"]} for fact in SCREENING_FACTS},
}

EXAMPLE: Final = {
    "external_id": "visit-20931",
    "technique": "deep",
    "regions": ["shoulder", "neck"],
    "ended_at": "2025-03-04T17:40:00-06:00",
    "soreness_before": 5,
    "soreness_after": 3,
    "patient_external_id": "patient-774",
    "given_name": "Dana",
    "family_name": "Reyes",
    "phone": "+13125550123",
    "language": "en",
    "timezone": "America/Chicago",
    "birth_date": "1985-05-17",
    "consent": "yes",
    "consent_method": "intake_form",
    "anticoagulant": "no",
    "reduced_sensation": "no",
}


def session_body() -> dict[str, Any]:
    """Return the OpenAPI text of the request body. The intake itself checks it, so that all problems come at once."""
    properties = {
        name: {"type": "string", **_KINDS.get(name, {}), "description": sentence}
        for name, sentence in FIELDS.items()
        if name not in NOT_HERE
    }
    schema = {
        "title": "TreatmentSessionIn",
        "type": "object",
        "properties": properties,
        "required": list(REQUIRED_FIELDS),
        "additionalProperties": False,
        "example": EXAMPLE,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def problem_answers(**sentences: str) -> dict[str, Any]:
    """Return the OpenAPI text of problem answers, by status: `s404="..."`."""
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    field_problem = schema.pop("$defs")["FieldProblem"]
    schema["properties"]["errors"]["items"] = field_problem
    content = {CONTENT_TYPE: {"schema": schema}}
    return {status[1:]: {"description": sentence, "content": content} for status, sentence in sentences.items()}


class TreatmentSessionOut(Schema):
    """A stored session, without the patient's name and phone."""

    external_id: str
    patient_external_id: str = Field(description="Empty where the patient has no id of another system.")
    status: Literal["completed", "voided"]
    technique: str
    regions: list[str]
    ended_at: datetime
    soreness_before: int | None
    soreness_after: int | None
    revision: int = Field(description="1, and one more with every correction that reaches the texts.")
    consent: Literal["granted", "revoked", "none"] = Field(
        description="What counts for the patient's phone now. Unless it is granted, no text of this session leaves."
    )


class TreatmentSessionRecorded(TreatmentSessionOut):
    """A session and what this request did."""

    outcome: Literal["created", "unchanged", "corrected", "voided"]


class PlanOut(Schema):
    """How far the texts of a session are."""

    state: str
    revision: int
    messages: dict[str, int] = Field(description="How many texts are in which state.")


class TreatmentSessionDetail(TreatmentSessionOut):
    """A session and its texts."""

    is_planned: bool = Field(description="False for the moment between an intake or correction and its plan.")
    plan: PlanOut | None
