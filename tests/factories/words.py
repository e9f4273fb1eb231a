"""The words and the protocol, published."""

from datetime import date, datetime, time
from typing import Final

from reminders.clinic.models import Clinic
from reminders.content.models import Protocol, ProtocolVersion, RehearsalCheck, Step, Template, TemplateVersion
from reminders.content.selectors import definition_of
from reminders.core.rehearsal_checks import Story, lines_of, lines_to_json, play_story, story_to_json
from tests.factories.fresh import moment

DRY_NEEDLING: Final = (
    ("heat", "advice", 60, 720),
    ("exercise", "advice", 240, 720),
    ("otc", "advice", 360, 720),
    ("check_in", "check_in", 1440, 720),
    ("nudge", "nudge", 240, 960),
    ("recheck", "recheck", 1440, 720),
)
"""Key, kind, offset in minutes, expiry in minutes of the default protocol."""

WORDS: Final = {
    "heat": "{{ clinic_name }}: a warm pack for 15 minutes helps sore muscles tonight. Reply STOP to end texts.",
    "exercise": "Gentle movement helps: roll your shoulders ten times, slowly, every hour you are awake.",
    "otc": "If you are sore, a pain reliever that is safe for you may help. Follow the label.",
    "check_in": "How sore are you now, from 0 (none) to 10 (worst)? Reply with a number.",
    "nudge": "We did not hear from you. How sore are you now, 0 to 10?",
    "recheck": "Checking again: how sore are you today, 0 to 10?",
}
"""Plain English words for each step of the default protocol."""


def make_protocol(*, clinic: Clinic, key: str = "dry-needling", now: datetime | None = None) -> ProtocolVersion:
    """The default protocol, published as version 1; the same one again where the clinic has it."""
    existing = ProtocolVersion.objects.filter(protocol__clinic=clinic, protocol__key=key).first()
    if existing:
        return existing
    at = moment(now)
    protocol = Protocol.objects.create(clinic=clinic, key=key, name="Dry needling")
    version = ProtocolVersion.objects.create(clinic=clinic, protocol=protocol, number=1, created_at=at, published_at=at)
    for position, (step_key, kind, offset_minutes, expires_minutes) in enumerate(DRY_NEEDLING, start=1):
        Step.objects.create(
            clinic=clinic,
            protocol_version=version,
            position=position,
            key=step_key,
            kind=kind,
            template_key=f"advice_{step_key}" if kind == "advice" else step_key,
            offset_minutes=offset_minutes,
            when_quiet="later",
            expires_minutes=expires_minutes,
        )
    protocol.published = version
    protocol.save(update_fields=["published"])
    return version


def make_template(
    *, clinic: Clinic, key: str = "check_in", language: str = "en", body: str = "", now: datetime | None = None
) -> Template:
    """A text with its first version published."""
    at = moment(now)
    template = Template.objects.create(clinic=clinic, key=key, language=language)
    template.published = TemplateVersion.objects.create(
        clinic=clinic,
        template=template,
        number=1,
        body=body or WORDS.get(key.removeprefix("advice_"), "{{ clinic_name }}: thank you for your answer."),
        created_at=at,
        published_at=at,
    )
    template.save(update_fields=["published"])
    return template


def make_rehearsal_check(*, clinic: Clinic, name: str = "A danger sign", answer: str = "chest pain") -> RehearsalCheck:
    """A story of the clinic's dry-needling protocol, kept as it plays now."""
    protocol = Protocol.objects.get(clinic=clinic, key="dry-needling")
    assert protocol.published is not None, "publish the protocol first"
    definition = definition_of(protocol.published)
    story = Story("deep", "calf", date(2026, 6, 1), time(10), clinic.timezone, time(20), time(9), (answer, "", ""))
    lines = lines_of(play_story(definition=definition, story=story), zone=story.zone)
    return RehearsalCheck.objects.create(
        clinic=clinic,
        protocol=protocol,
        name=name,
        story=story_to_json(story),
        moments=lines_to_json(lines),
        created_at=moment(None),
    )
