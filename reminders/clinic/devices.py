"""Where a member of staff is signed in, and ending it elsewhere.

A session lives in the database, so removing its row ends it at the next request, in every web process. Times here are
the host's: sessions end by them too, and the product's clock may be moved in the sandbox.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from reminders.clinic import audit
from reminders.clinic.account_models import SignedInDevice
from reminders.clinic.models import AuditEvent, Clinician

KEPT_AFTER_END: Final = timedelta(days=1)
SWEPT_AT_ONCE: Final = 100
# The first that fits wins: browsers name their ancestors too.
_BROWSERS: Final = (
    ("Edge", r"\bEdgA?/|\bEdgiOS/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\bChrome/|\bCriOS/|\bChromium/|\bHeadlessChrome/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS: Final = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("Mac", r"\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One browser in which somebody is signed in: what it is, and when it last asked for a page."""

    id: int
    label: str
    signed_in_at: datetime
    last_used_at: datetime
    is_this: bool


def note_sign_in(*, clinician: Clinician, session_key: str, user_agent: str) -> None:
    """Remember a browser that was signed in just now, and forget those of this person whose sessions are over."""
    _sweep()
    mine = SignedInDevice.objects.filter(clinician=clinician)
    mine.exclude(session_key__in=_alive(mine)).delete()
    SignedInDevice.objects.update_or_create(
        session_key=session_key,
        defaults={"clinician": clinician, "label": label_of(user_agent), "signed_in_at": timezone.now()},
    )


def moved(*, from_key: str, to_key: str) -> None:
    """Follow a session whose key was changed for safety, after a new password."""
    SignedInDevice.objects.filter(session_key=from_key).update(session_key=to_key)


def devices_of(*, clinician: Clinician, this_key: str) -> list[Device]:
    """Return the browsers in which this person is signed in, the one that asks first, then the last used."""
    rows = {row.session_key: row for row in SignedInDevice.objects.filter(clinician=clinician)}
    age = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    found = [
        Device(
            id=rows[session.session_key].pk,
            label=rows[session.session_key].label,
            signed_in_at=rows[session.session_key].signed_in_at,
            last_used_at=session.expire_date - age,
            is_this=session.session_key == this_key,
        )
        for session in Session.objects.filter(session_key__in=rows, expire_date__gt=timezone.now())
    ]
    return sorted(found, key=lambda one: (one.is_this, one.last_used_at), reverse=True)


def signed_in(*, clinicians: Iterable[Clinician]) -> dict[int, int]:
    """Return in how many browsers each of these people is signed in, by their ids; with two queries."""
    whose = dict(SignedInDevice.objects.filter(clinician__in=clinicians).values_list("session_key", "clinician_id"))
    counts: dict[int, int] = {}
    alive = Session.objects.filter(session_key__in=whose, expire_date__gt=timezone.now())
    for key in alive.values_list("session_key", flat=True):
        counts[whose[key]] = counts.get(whose[key], 0) + 1
    return counts


def end_device(*, device: SignedInDevice, by: Clinician, now: datetime) -> None:
    """Sign one browser out, on record."""
    with transaction.atomic():
        _end([device.session_key])
        _record(device.clinician, by, now, 1)


def end_all(*, clinician: Clinician, by: Clinician, now: datetime, but: str = "") -> int:
    """Sign this person out everywhere, but for the session `but`, on record; return in how many browsers."""
    with transaction.atomic():
        keys = list(
            SignedInDevice.objects.filter(clinician=clinician)
            .exclude(session_key=but)
            .values_list("session_key", flat=True)
        )
        ended = _end(keys)
        if ended:
            _record(clinician, by, now, ended)
    return ended


def label_of(user_agent: str) -> str:
    """Return what a browser says of itself in two words people know: "Firefox on Windows"."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "A browser"


def _first(known: Iterable[tuple[str, str]], user_agent: str) -> str:
    return next((name for name, sign in known if re.search(sign, user_agent)), "")


def _sweep() -> None:
    """Remove sessions that are long over, of anybody, a bounded number at a time: nothing else does."""
    over = Session.objects.filter(expire_date__lt=timezone.now() - KEPT_AFTER_END).values_list("pk", flat=True)
    Session.objects.filter(pk__in=list(over[:SWEPT_AT_ONCE])).delete()


def _alive(devices: Iterable[SignedInDevice]) -> list[str]:
    keys = [device.session_key for device in devices]
    alive = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return list(alive.values_list("session_key", flat=True))


def _end(keys: list[str]) -> int:
    SignedInDevice.objects.filter(session_key__in=keys).delete()
    alive = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).count()
    Session.objects.filter(session_key__in=keys).delete()
    return alive


def _record(clinician: Clinician, by: Clinician, now: datetime, count: int) -> None:
    audit.record(
        clinic=clinician.clinic,
        actor=AuditEvent.Actor.CLINICIAN,
        clinician=by,
        verb="signed_out_elsewhere",
        subject=clinician,
        now=now,
        devices=count,
    )
