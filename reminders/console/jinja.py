"""The Jinja2 environment of the pages."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    """Return the pages' environment. A variable that a view forgot is an error, not an empty place."""
    pages = Environment(**{"undefined": StrictUndefined, "autoescape": True, **options})  # noqa: S701
    pages.globals.update({"static": static, "url": reverse})
    return pages
