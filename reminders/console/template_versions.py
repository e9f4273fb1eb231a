"""One version of a text beside the one in force: what changed, and taking it up again."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.console.access import May, StaffRequest, allows, room
from reminders.console.wording import text_title
from reminders.content import services
from reminders.content.models import TemplateVersion
from reminders.core.word_changes import word_changes
from reminders.messaging.selectors import planned_with


@room(may=May.READ)
def version(request: StaffRequest, key: str, language: str, number: int) -> HttpResponse:
    """Show what this version changed: against the words in force, or, for those, against the version before."""
    row = _access_version(request, key, language, number)
    published = row.template.published
    earlier = (
        row.template.versions.filter(number__lt=row.number, published_at__isnull=False).order_by("-number").first()
    )
    is_in_force = published is not None and published.pk == row.pk
    other = earlier if is_in_force else published
    is_older = other is not None and other.number > row.number
    before, after = (row, other) if is_older else (other, row)
    context: dict[str, Any] = {
        "key": key,
        "language": language,
        "title": text_title(key),
        "version": row,
        "other": other,
        "is_in_force": is_in_force,
        "before": before,
        "after": after,
        "changes": word_changes(before=before.body if before else "", after=after.body if after else ""),
        "planned": planned_with(version=row),
        "can_publish": allows(clinician=request.user, may=May.PUBLISH_TEXTS),
        "zone": request.user.clinic.timezone,
    }
    return render(request, "console/template_version.j2", context)


@room(may=May.PUBLISH_TEXTS, methods=("POST",))
def restore(request: StaffRequest, key: str, language: str, number: int) -> HttpResponse:
    """Make the words of this version the draft; what patients get stays as it is until somebody publishes."""
    row = _access_version(request, key, language, number)
    services.save_draft(
        clinic=request.user.clinic, key=key, language=language, body=row.body, author=request.user, now=clock.now()
    )
    messages.success(request, f"The words of version {row.number} are the draft now. Publish them when they are right.")
    return redirect("template", key=key, language=language)


def _access_version(request: StaffRequest, key: str, language: str, number: int) -> TemplateVersion:
    rows = TemplateVersion.objects.select_related("template__published", "author")
    found = rows.filter(
        template__clinic=request.user.clinic_id, template__key=key, template__language=language, number=number
    ).first()
    if found is None:
        raise Http404
    return found
