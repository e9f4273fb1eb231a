"""Giving texts that are planned already the words of a version that was published since.

A planned text keeps its words unless somebody says otherwise, having seen whose texts they are. What a worker holds,
or what has left, keeps them in any case.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from reminders.clinic import audit
from reminders.clinic.models import AuditEvent, Clinic, Clinician, TreatmentSession
from reminders.clinic.selectors import advice_for_many
from reminders.content.models import TemplateVersion
from reminders.core.rendering import CompiledText, TemplateError, compile_text, render
from reminders.core.segments import count_segments
from reminders.core.states import MessageState
from reminders.messaging.cancelling import COURSE
from reminders.messaging.compose import course_values, values_for
from reminders.messaging.models import Message, OutboxRow

BATCH: Final = 250
"""Texts that are held at once: a stop or a correction of one of them waits for the batch, some tenths of a second."""


def texts_with_older_words(*, clinic: Clinic, key: str, language: str) -> QuerySet[Message]:
    """Return the planned texts that carry published words of this text, the next to leave first."""
    # By way of the outbox, which holds what has not left and no more: the table of texts grows for ever.
    return Message.objects.filter(
        clinic=clinic,
        outbox__clinic=clinic,
        outbox__state=MessageState.SCHEDULED,
        state=MessageState.SCHEDULED,
        kind__in=COURSE,
        treatment_session__isnull=False,
        template_version__template__clinic=clinic,
        template_version__template__key=key,
        template_version__template__language=language,
    ).order_by("due_at", "id")


def move_to(*, version: TemplateVersion, clinician: Clinician, now: datetime) -> int:
    """Give the planned texts that carry older words of this text those of `version`; return how many changed.

    Each is worded anew for its patient by the screening that counts now. One that the new words do not fit keeps the
    old ones, as does one that leaves meanwhile. On record with the count; doing it twice changes nothing more.
    """
    template = version.template
    compiled = compile_text(version.body)
    older = texts_with_older_words(clinic=version.clinic, key=template.key, language=template.language)
    ids = sorted(older.exclude(template_version=version).values_list("id", flat=True))
    moved = 0
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            moved += _move(ids[start : start + BATCH], version, compiled, now)
    audit.record(
        clinic=version.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=clinician,
        verb="moved_planned_texts",
        subject=version,
        now=now,
        key=template.key,
        language=template.language,
        number=version.number,
        moved=moved,
        kept=len(ids) - moved,
    )
    return moved


def _move(ids: Sequence[int], version: TemplateVersion, compiled: CompiledText, now: datetime) -> int:
    # Messages first, in the order of their ids, as everybody locks them; then their rows in the outbox, where a worker
    # may hold one: that one is passed over, so nobody waits for anybody in a circle.
    held = list(
        Message.objects.filter(pk__in=ids, state=MessageState.SCHEDULED)
        .order_by("id")
        .select_for_update(of=("self",), no_key=True)
        .select_related("clinic")
    )
    free = {
        row.pk: row
        for row in OutboxRow.objects.filter(pk__in=[one.pk for one in held], state=MessageState.SCHEDULED)
        .order_by("pk")
        .select_for_update(skip_locked=True)
    }
    texts = [one for one in held if one.pk in free]
    sessions = TreatmentSession.objects.select_related("patient").in_bulk({one.treatment_session_id for one in texts})
    advice = advice_for_many(sessions=sessions.values(), now=now)
    moved = []
    for text in texts:
        session = sessions[text.treatment_session_id or 0]
        said = course_values(treatment_session=session, advice=advice[session.pk], is_first=text.introduces)
        try:
            text.body = render(compiled, values=values_for(clinic=text.clinic, language=text.language, values=said))
        except TemplateError:
            continue
        text.template_version = version
        text.segments = free[text.pk].segments = count_segments(text.body).segments
        moved.append(text)
    Message.objects.bulk_update(moved, ["body", "segments", "template_version"])
    OutboxRow.objects.bulk_update([free[text.pk] for text in moved], ["segments"])
    return len(moved)
