"""Reads of the words and the protocols."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db.models import Q, QuerySet

from reminders.clinic.models import Clinic, TreatmentSession
from reminders.clinic.selectors import screening_answers
from reminders.content.errors import MissingProtocolError, MissingTextError
from reminders.content.models import Protocol, ProtocolVersion, Step, Template, TemplateVersion
from reminders.core.protocols import OUTCOME_BEFORE, ProtocolDefinition, StepDefinition, condition_from_json, from_json
from reminders.core.schedule import ScheduleStep, StepKind, WhenQuiet

DEFAULT_PROTOCOL = "dry-needling"

# How the texts call the person who treated, in the middle of a sentence; no name, the least that is needed.
CLINICIAN_TITLE: Mapping[str, str] = {"en": "your PT", "es": "su fisioterapeuta"}


def published_text(*, clinic: Clinic, key: str, language: str) -> TemplateVersion:
    """Return the words in force for `key`, in `language` or else in English.

    Raises MissingTextError where neither is published; its sentence names the key, which is no secret.
    """
    found = {
        template.language: template.published
        for template in Template.objects.filter(
            clinic=clinic, key=key, language__in=[language, "en"], published__isnull=False
        ).select_related("published")
    }
    version = found.get(language) or found.get("en")
    if version is None:
        raise missing_text(key)
    return version


class PublishedText(NamedTuple):
    """Words in force: the version and its source."""

    version_id: int
    source: str


def published_texts(*, clinic_ids: Collection[int], keys: Collection[str]) -> dict[tuple[int, str, str], PublishedText]:
    """Return the words in force for these keys in several clinics, by clinic, key and language; see published_text."""
    rows = Template.objects.filter(clinic__in=clinic_ids, key__in=keys, published__isnull=False)
    return {
        (clinic_id, key, language): PublishedText(version_id, source)
        for clinic_id, key, language, version_id, source in rows.values_list(
            "clinic_id", "key", "language", "published_id", "published__body"
        )
    }


def missing_text(key: str) -> MissingTextError:
    """Return the error for a text that no language has."""
    return MissingTextError(f"Publish a text for {key}; the clinic has none.")


def published_protocol(*, clinic: Clinic, key: str = DEFAULT_PROTOCOL) -> ProtocolVersion:
    """Return the protocol version in force. Raises MissingProtocolError where none is published."""
    protocol = (
        Protocol.objects.filter(clinic=clinic, key=key, published__isnull=False).select_related("published").first()
    )
    if protocol is None or protocol.published is None:
        raise missing_protocol(key)
    return protocol.published


def protocols_in_force(*, clinic_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return the ids of the protocol versions in force, by clinic and technique.

    Under the technique "" stands the default protocol's, which serves every technique that has none of its own.
    """
    used = Protocol.objects.filter(Q(key=DEFAULT_PROTOCOL) | ~Q(techniques=[]), clinic__in=clinic_ids)
    found: dict[int, dict[str, int]] = {}
    for clinic_id, key, techniques, version_id in used.filter(published__isnull=False).values_list(
        "clinic_id", "key", "techniques", "published_id"
    ):
        for technique in [""] if key == DEFAULT_PROTOCOL else techniques:
            found.setdefault(clinic_id, {})[technique] = version_id or 0
    return found


def protocol_for(*, clinic: Clinic, technique: str) -> ProtocolVersion:
    """Return the version that a treatment of this technique is planned by. Raises MissingProtocolError without one."""
    special = Protocol.objects.filter(clinic=clinic, techniques__contains=[technique], published__isnull=False)
    own = special.exclude(key=DEFAULT_PROTOCOL).select_related("published").first()
    return own.published if own and own.published else published_protocol(clinic=clinic)


def missing_protocol(key: str = DEFAULT_PROTOCOL) -> MissingProtocolError:
    """Return the error for a protocol that is not published."""
    return MissingProtocolError(f"Publish the protocol {key}; the clinic has none.")


def step_of_kind(*, version: ProtocolVersion, kind: StepKind, treatment_session: TreatmentSession) -> Step | None:
    """Return the first step of one kind that is for this session, or None where the protocol has none."""
    steps = list(version.steps.filter(kind=kind).order_by("position"))
    screening = None
    if any(step.condition.get("screening") for step in steps):
        screening = screening_answers(patient=treatment_session.patient)
    for step in steps:
        condition = condition_from_json(step.condition)
        if condition.holds(
            technique=treatment_session.technique,
            regions=treatment_session.regions,
            screening=screening,
            outcome=OUTCOME_BEFORE.get(kind),
        ):
            return step
    return None


def definition_of(version: ProtocolVersion) -> ProtocolDefinition:
    """Return a version as one checked definition. Raises ProtocolError where the rows hold none."""
    return from_json(
        {
            "key": version.protocol.key,
            "name": version.name or version.protocol.name,
            "steps": [
                {
                    "key": step.key,
                    "kind": step.kind,
                    "template_key": step.template_key,
                    "offset_minutes": step.offset_minutes,
                    "when_quiet": step.when_quiet,
                    "expires_minutes": step.expires_minutes,
                    "condition": step.condition,
                }
                for step in version.steps.order_by("position")
            ],
            "thresholds": version.thresholds,
        }
    )


def schedule_step(step: Step) -> ScheduleStep:
    """Return the part of a step that the pure schedule needs."""
    return ScheduleStep(
        key=step.key,
        kind=StepKind(step.kind),
        offset_minutes=step.offset_minutes,
        when_quiet=WhenQuiet(step.when_quiet),
        expires_minutes=step.expires_minutes,
    )


def scheduled(step: StepDefinition) -> ScheduleStep:
    """Return the part of a definition's step that the pure schedule needs."""
    return ScheduleStep(step.key, step.kind, step.offset_minutes, step.when_quiet, step.expires_minutes)


def current_texts(*, clinic: Clinic) -> QuerySet[Template]:
    """Return all texts of a clinic with their published versions, by key and language."""
    return Template.objects.filter(clinic=clinic).select_related("published").order_by("key", "language")


def clinic_values(*, clinic: Clinic, language: str, formatted_phone: str) -> dict[str, object]:
    """Return the values that every text of a clinic may use."""
    return {
        "clinic_name": clinic.name,
        "clinic_phone": formatted_phone,
        "clinician_title": CLINICIAN_TITLE.get(language, CLINICIAN_TITLE["en"]),
        "booking_url": clinic.booking_url,
        "reply_hours": clinic.reply_hours_es if language == "es" else clinic.reply_hours,
    }
