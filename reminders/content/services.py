"""Verbs that change the words: load the starters, keep a draft, publish."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.content.models import Protocol, Template, TemplateVersion
from reminders.content.protocol_services import publish_protocol
from reminders.core.protocols import parse_protocol
from reminders.core.rendering import compile_text
from reminders.core.texts import TEXTS, check_text


def load_starters(*, clinic: Clinic, now: datetime) -> int:
    """Give a clinic the starter texts and protocols it does not have yet, published as version 1.

    From then on the rows are the home of the words: a text that the clinic changed is never overwritten.
    Returns how many were added.
    """
    root = Path(settings.BASE_DIR) / "templates"
    added = 0
    with transaction.atomic():
        for path in sorted((root / "messages").glob("*/*.j2")):
            language, key = path.parent.name, path.stem
            if not Template.objects.filter(clinic=clinic, key=key, language=language).exists():
                publish(clinic=clinic, key=key, language=language, body=path.read_text("utf-8"), author=None, now=now)
                added += 1
        for path in sorted((root / "protocols").glob("*.toml")):
            definition = parse_protocol(path.read_text("utf-8"))
            if not Protocol.objects.filter(clinic=clinic, key=definition.key).exists():
                publish_protocol(clinic=clinic, definition=definition, now=now)
                added += 1
    return added


def save_draft(
    *, clinic: Clinic, key: str, language: str, body: str, author: Clinician | None, now: datetime
) -> TemplateVersion:
    """Keep the words as the one draft of this text, replacing an older draft; nothing a patient gets changes."""
    with transaction.atomic():
        template, _ = Template.objects.select_for_update().get_or_create(clinic=clinic, key=key, language=language)
        draft = template.versions.filter(published_at__isnull=True).first()
        if draft is None:
            newest = template.versions.aggregate(newest=Max("number"))["newest"] or 0
            draft = TemplateVersion(clinic=clinic, template=template, number=newest + 1)
        draft.body = body
        draft.author = author
        draft.created_at = now
        draft.save()
    return draft


def publish(
    *, clinic: Clinic, key: str, language: str, body: str, author: Clinician | None, now: datetime
) -> TemplateVersion:
    """Publish words as the next version; texts planned from now on use it.

    Raises reminders.core.rendering.TemplateError where the words cannot be sent; then nothing changes.
    """
    compile_text(body)
    if key in TEXTS:
        check_text(key=key, language=language, source=body)
    with transaction.atomic():
        version = save_draft(clinic=clinic, key=key, language=language, body=body, author=author, now=now)
        version.published_at = now
        version.save(update_fields=["published_at"])
        Template.objects.filter(pk=version.template_id).update(published=version)
        audit.record(
            clinic=clinic,
            actor=AuditEvent.Actor.CLINICIAN if author else AuditEvent.Actor.SYSTEM,
            clinician=author,
            verb="published",
            subject=version,
            now=now,
            key=key,
            language=language,
            number=version.number,
        )
    return version
