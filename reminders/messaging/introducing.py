"""The first text that reaches a phone says who writes and how to stop, also where the one meant for it fell away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from django.db import DatabaseError
from django.db.models import Exists, OuterRef

from reminders.clinic.selectors import advice_for
from reminders.core.rendering import compile_text, render
from reminders.core.segments import count_segments
from reminders.core.states import MessageState
from reminders.logs import place_of
from reminders.messaging.claimed import MAY_HAVE_ARRIVED, Claimed
from reminders.messaging.compose import course_values, values_for
from reminders.messaging.models import Kind, Message, OutboxRow

log = structlog.get_logger(__name__)

PLANNED = (Kind.ADVICE, Kind.CHECK_IN)


def introduce(rows: Sequence[Claimed], *, now: datetime) -> list[Claimed]:
    """Return the rows, with the introduction in the first planned text of a session that no earlier text has left for.

    The words are those of the version it was laid out with. The caller holds the rows; one that was taken away
    meanwhile is left as it is, and the commit point refuses it.
    """
    if not any(row.is_first_to_arrive for row in rows):
        return list(rows)
    arrived = Message.objects.filter(
        treatment_session=OuterRef("treatment_session"), state__in=list(MAY_HAVE_ARRIVED)
    ).exclude(pk=OuterRef("pk"))
    lonely = (
        Message.objects.filter(pk__in=[row.id for row in rows], kind__in=PLANNED, template_version__isnull=False)
        .filter(plan__isnull=False)
        .exclude(Exists(arrived))
        .select_related("clinic", "template_version", "treatment_session__patient")
        .order_by("due_at", "id")
    )
    bodies: dict[int, str] = {}
    introduced: set[int | None] = set()
    for message in lonely:
        if message.treatment_session_id not in introduced and not message.introduces:
            body = _introduction(message, now)
            if body is not None:
                bodies[message.pk] = body
        introduced.add(message.treatment_session_id)
    return [_keep(row, bodies) for row in rows]


def _introduction(message: Message, now: datetime) -> str | None:
    session, version = message.treatment_session, message.template_version
    if session is None or version is None:
        return None
    try:
        advice = advice_for(treatment_session=session, now=now)
        values = course_values(treatment_session=session, advice=advice, is_first=True)
        return render(
            compile_text(version.body),
            values=values_for(clinic=message.clinic, language=message.language, values=values),
        )
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001
        # Its own words were rendered when it was laid out, so it leaves with these.
        log.error("no_introduction", message_id=message.pk, kind=type(error).__name__, where=place_of(error))
        return None


def _keep(row: Claimed, bodies: Mapping[int, str]) -> Claimed:
    """Store the new words while the row is still held; return it as it now is."""
    if row.id not in bodies:
        return row
    body = bodies[row.id]
    parts = count_segments(body).segments
    held = Message.objects.filter(
        pk=row.id, state=MessageState.SCHEDULED, outbox__fence=row.fence, outbox__state=MessageState.CLAIMED
    )
    if not held.update(body=body, segments=parts, introduces=True):
        return row
    OutboxRow.objects.filter(pk=row.id).update(segments=parts)
    return replace(row, body=body, segments=parts)
