"""The Jinja2 environment of the pages."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django_htmx.jinja import htmx_script
from jinja2 import Environment, StrictUndefined

from reminders.clinic.phones import format_phone, mask_phone
from reminders.console import marks, moments, protocol_words, tones, wording
from reminders.console.access import May, allows
from reminders.console.pictures import pictures_of
from reminders.console.rooms import ROOMS, rooms_of
from reminders.core.spans import say_span

FILTERS: dict[str, Callable[..., Any]] = {
    "case_name": wording.case_name,
    "clock": lambda at, zone: moments.moment(at, zone, "clock"),
    "marked": marks.marked,
    "masked": mask_phone,
    "message_title": wording.message_title,
    "missed_cause": wording.missed_cause,
    "moment": moments.moment,
    "next_step": wording.next_step,
    "phone": format_phone,
    "pictures": pictures_of,
    "plain": wording.plain,
    "regions": wording.regions,
    "say": wording.say,
    "say_span": say_span,
    "span": moments.span,
    "text_title": wording.text_title,
    "state_reason": wording.state_reason,
}


def environment(**options: Any) -> Environment:
    """Return the pages' environment. A variable that a view forgot is an error, not an empty place."""
    pages = Environment(**{"undefined": StrictUndefined, "autoescape": True, **options})  # noqa: S701
    pages.trim_blocks = pages.lstrip_blocks = True
    pages.filters.update(FILTERS)
    pages.globals.update(
        {
            "allows": allows,
            "daily_rooms": [one.name for one in ROOMS if one.is_daily],
            "htmx_script": htmx_script,
            "may": May,
            "rooms_of": rooms_of,
            "settings": settings,
            "static": static,
            "url": _url,
            "tones": tones,
            "words": wording,
            "protocol_words": protocol_words,
        }
    )
    return pages


def _url(name: str, *args: Any) -> str:
    return reverse(name, args=args)
