"""Moments as people read them: in a named zone, or as the time since."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup


def _clock(local: datetime) -> str:
    return local.strftime("%-I:%M %p")


def _zone_name(local: datetime) -> str:
    """CST, CDT; where a zone has no letters of its own, its distance from UTC."""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{local.isoformat()[-6:]}"


def moment(at: datetime, zone: str, style: str = "full") -> Markup:
    """Return a `<time>` in the zone, named.

    Styles: `full` is day and hour, `dated` has the year too, `clock` is the hour alone, `date` the day with its year.
    """
    local = at.astimezone(ZoneInfo(zone))
    clock = f"{_clock(local)} {_zone_name(local)}"
    words = {
        "full": f"{local.strftime('%a, %b %-d')}, {clock}",
        "clock": clock,
        "dated": f"{local.strftime('%a, %b %-d, %Y')}, {clock}",
        "date": local.strftime("%b %-d, %Y"),
    }[style]
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), f"{local.strftime('%A, %B %-d, %Y')}, {clock} ({zone})", words
    )


def wall(at: datetime) -> str:
    """Return a moment as the wall clock at its own offset had it: "Tue, Nov 24, 9:00 AM"."""
    return f"{at.strftime('%a, %b %-d')}, {_clock(at)}"


def today_in_words(at: datetime, zone: str) -> Markup:
    """Return the date and hour as the head of a page shows it."""
    local = at.astimezone(ZoneInfo(zone))
    return Markup('<time datetime="{}">{} · {} {}</time>').format(
        local.isoformat(timespec="minutes"), local.strftime("%A, %B %-d"), _clock(local), _zone_name(local)
    )


def span(delta: timedelta) -> str:
    """Return a length of time in its two largest units: "42 min", "3 h 05 min", "2 days"."""
    minutes = max(0, int(delta.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest:02d} min" if rest else f"{hours} h"
    days = minutes // (24 * 60)
    return "1 day" if days == 1 else f"{days} days"
