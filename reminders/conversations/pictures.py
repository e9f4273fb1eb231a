"""Pictures that come with texts: fetched from the carrier, kept encrypted, deleted there; or refused with a reason.

A row says what is left to do and when. Whoever takes it moves that time on before asking anybody, and writes down what
came of it only while nobody else has taken it since; so a task may be lost, doubled or late.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db.models import F

from reminders.conversations.models import InboundMessage, Picture
from reminders.conversations.sealing import SealError, seal, unseal
from reminders.core.picture_types import picture_type
from reminders.delivery.media import Fetched, MediaStore, NotFetched

log = structlog.get_logger(__name__)

TRIED_AGAIN_AFTER: Final = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
"""A fresh picture is there within seconds; an hour and twenty minutes outlast most troubles of a carrier."""
TAKEN_FOR: Final = timedelta(minutes=3)
"""For how long whoever took a picture keeps it: longer than a task may run."""
SWEEP_AFTER: Final = timedelta(seconds=5)
"""A task that was not lost has begun long before."""
WRONG_TYPE: Final = "wrong_type"
_DECLARED_LENGTH: Final = 100


def expect_pictures(*, inbound: InboundMessage, now: datetime) -> None:
    """Write a row for each picture of a text, in the transaction that stores the text."""
    if inbound.media and inbound.clinic_id is not None:
        Picture.objects.bulk_create(
            Picture(
                clinic_id=inbound.clinic_id,
                inbound=inbound,
                position=position,
                declared_type=media["type"][:_DECLARED_LENGTH],
                next_try_at=now,
            )
            for position, media in enumerate(inbound.media)
        )


def expected_with(*, inbound_id: int) -> list[int]:
    """Return the pictures of one text that are still at the carrier, by id."""
    waiting = Picture.objects.filter(inbound_id=inbound_id, state=Picture.State.WAITING)
    return list(waiting.order_by("position").values_list("pk", flat=True))


def overdue_pictures(*, now: datetime, limit: int = 20) -> list[int]:
    """Return pictures that a lost task left, or whose next try has come, by id."""
    due = Picture.objects.filter(next_try_at__lte=now - SWEEP_AFTER).order_by("next_try_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after_picture(*, picture_id: int, store: MediaStore, now: datetime) -> None:
    """Do what is left to do for one picture: fetch and keep it, then delete the carrier's copy.

    Does nothing where nothing is due. No transaction may be open: other servers are waited for.
    """
    picture = _take(picture_id, now)
    if picture is None:
        return
    if picture.state == Picture.State.WAITING and not _fetch(picture, store, now):
        return
    _remove(picture, store, now)


def _take(picture_id: int, now: datetime) -> Picture | None:
    """Take a picture that is due, for as long as a task may run."""
    taken = Picture.objects.filter(pk=picture_id, next_try_at__lte=now).update(
        tries=F("tries") + 1, next_try_at=now + TAKEN_FOR
    )
    return Picture.objects.select_related("inbound").get(pk=picture_id) if taken else None


def _settle(picture: Picture, **fields: Any) -> bool:
    """Write what came of a try, unless somebody else has taken the picture since."""
    held = Picture.objects.filter(pk=picture.pk, state=picture.state, tries=picture.tries)
    return bool(held.update(**fields))


def _url(picture: Picture) -> str:
    return str(picture.inbound.media[picture.position]["url"])


def _fetch(picture: Picture, store: MediaStore, now: datetime) -> bool:
    """Fetch a picture and keep it, refuse it, or leave it to a later try; True where it is kept."""
    result = store.fetch(_url(picture))
    if isinstance(result, Fetched):
        return _keep(picture, result.content, now)
    if isinstance(result, NotFetched) or picture.tries > len(TRIED_AGAIN_AFTER):
        _refuse(picture, result.reason)
        return False
    _settle(picture, next_try_at=now + TRIED_AGAIN_AFTER[picture.tries - 1])
    log.warning("picture_not_fetched", picture_id=picture.pk, reason=result.reason, tries=picture.tries)
    return False


def _keep(picture: Picture, content: bytes, now: datetime) -> bool:
    media_type = picture_type(content)
    if media_type is None:
        _refuse(picture, WRONG_TYPE)
        return False
    kept = _settle(
        picture,
        state=Picture.State.KEPT,
        content=seal(content, picture=picture.public_id),
        media_type=media_type,
        size=len(content),
        fetched_at=now,
        # From here on the tries are those of deleting it at the carrier; this very task makes the first.
        tries=1,
        next_try_at=now + TAKEN_FOR,
    )
    picture.state, picture.tries = Picture.State.KEPT, 1
    return kept


def _refuse(picture: Picture, reason: str) -> None:
    _settle(picture, state=Picture.State.REFUSED, refusal=reason, next_try_at=None)
    log.warning("picture_refused", picture_id=picture.pk, reason=reason)


def _remove(picture: Picture, store: MediaStore, now: datetime) -> None:
    """Delete the carrier's copy of a picture that is kept here."""
    if store.remove(_url(picture)):
        _settle(picture, removed_at=now, next_try_at=None)
        return
    is_over = picture.tries > len(TRIED_AGAIN_AFTER)
    _settle(picture, next_try_at=None if is_over else now + TRIED_AGAIN_AFTER[picture.tries - 1])
    log.warning("picture_not_removed", picture_id=picture.pk, tries=picture.tries, is_over=is_over)


def open_picture(picture: Picture) -> bytes | None:
    """Return the bytes of a kept picture; None where there are none, or no key opens them, which is logged."""
    if picture.state != Picture.State.KEPT or picture.content is None:
        return None
    try:
        return unseal(bytes(picture.content), picture=picture.public_id)
    except SealError:
        log.error("picture_not_opened", picture_id=picture.pk)
        return None


def shown_pictures(inbound: InboundMessage) -> list[Picture]:
    """Return what a page shows of a text's pictures, without their bytes; no question where the text came alone."""
    return list(inbound.pictures.order_by("position")) if inbound.media else []
