"""Pictures that patients sent: what a page says of each, and the bytes, for staff of that clinic alone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse

from reminders import clock
from reminders.clinic import audit
from reminders.clinic.models import AuditEvent
from reminders.console.access import May, StaffRequest, access_picture, room
from reminders.conversations.models import InboundMessage, Picture
from reminders.conversations.pictures import open_picture, shown_pictures
from reminders.core.picture_types import HEIC

REFUSALS: Final = {
    "wrong_type": "it is not a picture of a kind that we keep (JPEG, PNG, GIF, WebP or HEIC).",
    "too_large": "it is larger than 5 MB.",
    "address": "its link led to an address that we do not fetch from, for safety.",
    "missing": "the carrier does not have it any more.",
    "not_allowed": "the carrier refused our sign-in. Whoever runs this system should run the doctor.",
    "no_answer": "the carrier could not be reached for over an hour.",
}
ASK_AGAIN: Final = "If it matters, ask for it again or look at it at the next visit."
OPENED: Final = "picture_opened"
SEEN_FOR: Final = timedelta(hours=1)
MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture on a page: drawn where `is_drawn`, a link where only `url` is set, and else a sentence."""

    name: str
    url: str = ""
    is_drawn: bool = False
    sentence: str = ""


def pictures_of(inbound: InboundMessage) -> list[Shown]:
    """Return what a page shows of the pictures that came with a text, in their order."""
    rows = shown_pictures(inbound)
    return [_shown(row, f"Picture {number} of {len(rows)}") for number, row in enumerate(rows, start=1)]


def _shown(row: Picture, name: str) -> Shown:
    if row.state == Picture.State.WAITING:
        return Shown(name, sentence="is being fetched from the carrier.")
    if row.state == Picture.State.REFUSED:
        return Shown(name, sentence=f"is not shown: {REFUSALS.get(row.refusal, row.refusal)} {ASK_AGAIN}")
    url = reverse("picture", args=[row.public_id])
    if row.media_type != HEIC:
        return Shown(name, url, is_drawn=True)
    size = max(0.1, (row.size or 0) / MEGABYTE)
    return Shown(name, url, sentence=f"is in a format that most browsers do not draw (HEIC, {size:.1f} MB).")


@room(may=May.READ)
def picture(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Give a kept picture to staff of its clinic, as what its bytes say it is, and as nothing that could run."""
    # A page that refreshes itself asks for its pictures again: that is nobody being there (see console.idle).
    request.is_poll = True
    row = access_picture(request, public_id)
    content = open_picture(row)
    if content is None:
        raise Http404
    _note_who_looked(request, row)
    kind = row.media_type.partition("/")[2]
    disposition = "attachment" if row.media_type == HEIC else "inline"
    return HttpResponse(
        content,
        content_type=row.media_type,
        headers={
            "Content-Disposition": f'{disposition}; filename="picture.{kind}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _note_who_looked(request: StaffRequest, row: Picture) -> None:
    """Put on record that somebody saw a picture, once an hour: a page that refreshes draws it anew."""
    now = clock.now()
    seen = AuditEvent.objects.filter(
        subject="picture", subject_id=row.pk, verb=OPENED, clinician=request.user, at__gt=now - SEEN_FOR
    )
    if not seen.exists():
        audit.record(
            clinic=request.user.clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=request.user,
            verb=OPENED,
            subject=row,
            patient=row.inbound.patient,
            now=now,
        )
