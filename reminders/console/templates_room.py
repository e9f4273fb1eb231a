"""Templates: every text the clinic sends, what it becomes on a phone, and publishing a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ConflictError, ReminderError
from reminders.clinic.models import Clinic
from reminders.console import previews
from reminders.console.access import May, StaffRequest, allows, room
from reminders.console.forms import EditorForm
from reminders.console.wording import LANGUAGES, text_title
from reminders.content import services
from reminders.content.models import Template, TemplateVersion
from reminders.content.selectors import current_texts
from reminders.core.rendering import TemplateError
from reminders.core.segments import to_plain
from reminders.core.texts import QUICK, TEXTS, Audience, Medium, TextKey
from reminders.core.word_changes import word_changes
from reminders.messaging.compose import default_sender
from reminders.messaging.models import Message
from reminders.messaging.rewording import move_to, texts_with_older_words
from reminders.messaging.trying_out import write_test

UNPROCESSABLE: Final = 422
SHOWN: Final = 25
DANGER: Final = frozenset({"emergency", "emergency_self_harm", "urgent_call_you", "ladder_exhausted_patient"})


@dataclass(frozen=True, slots=True)
class Shelf:
    """Texts that belong together: each with its versions by language."""

    title: str
    lead: str
    rows: list[tuple[TextKey, dict[str, Template]]]


@room(may=May.READ)
def template_list(request: StaffRequest) -> HttpResponse:
    """List all texts by what they are for, with both languages."""
    found: dict[str, dict[str, Template]] = {}
    for row in current_texts(clinic=request.user.clinic):
        found.setdefault(row.key, {})[row.language] = row
    shelves = [
        Shelf(title, lead, [(text, found.get(text.key, {})) for text in TEXTS.values() if _shelf_of(text) == title])
        for title, lead in _SHELVES
    ]
    return render(request, "console/templates.j2", {"shelves": shelves, "clinic": request.user.clinic})


@room(may=May.READ, methods=("GET", "HEAD", "POST"))
def editor(request: StaffRequest, key: str, language: str) -> HttpResponse:
    """Show the editor; by POST keep a draft, publish, or only show the preview again."""
    text = _known(key, language)
    if request.method != "POST":
        return _page(request, text, language, EditorForm(initial={"body": _words_to_edit(request, key, language)}))
    form = EditorForm(request.POST)
    action = request.POST.get("action", "preview")
    if action == "plain" and form.is_valid():
        plain = to_plain(form.cleaned_data["body"].replace("\r\n", "\n"))
        messages.success(request, "Replaced. Look at the words once more; nothing is stored yet.")
        return _page(request, text, language, EditorForm(initial={"body": plain}))
    if action == "preview" or not form.is_valid():
        return _page(request, text, language, form, status=200 if form.is_valid() else UNPROCESSABLE)
    if not allows(clinician=request.user, may=May.PUBLISH_TEXTS):
        raise PermissionDenied
    if action == "test":
        return _text_to_oneself(request, text, language, form)
    return _save(request, text, language, form, action)


@room(may=May.READ, methods=("POST",))
def preview(request: StaffRequest, key: str, language: str) -> HttpResponse:
    """Answer the phone with the words as they stand; nothing is stored."""
    text = _known(key, language)
    return render(request, "console/template_preview.j2", _preview_context(request, text, language))


def _save(request: StaffRequest, text: TextKey, language: str, form: EditorForm, action: str) -> HttpResponse:
    clinic, body = request.user.clinic, form.cleaned_data["body"].replace("\r\n", "\n")
    place: dict[str, Any] = {"clinic": clinic, "key": text.key, "language": language}
    saved: dict[str, Any] = {**place, "body": body, "author": request.user, "now": clock.now()}
    if not action.startswith("publish"):
        services.save_draft(**saved)
        messages.success(request, "Draft kept. Patients still get the published words.")
        return redirect("template", key=text.key, language=language)
    problem = previews.problem_of(text=text, language=language, source=body)
    if problem is None and action == "publish":
        affected = texts_with_older_words(clinic=clinic, key=text.key, language=language)
        count = affected.count()
        if count:
            return _ask_about_planned(request, text, language, form, affected, count)
    if problem is None:
        try:
            version = services.publish(**saved)
        except TemplateError as error:
            problem = previews.Problem(error.message, error.line, error.column)
        else:
            messages.success(request, f"Published as version {version.number}. Texts planned from now on use it.")
            if action == "publish_move":
                moved = move_to(version=version, clinician=request.user, now=clock.now())
                messages.success(
                    request, f"{moved} planned {'text has' if moved == 1 else 'texts have'} the new words."
                )
            return redirect("template", key=text.key, language=language)
    form.add_error("body", f"{problem.place}: {problem.sentence}" if problem.place else problem.sentence)
    return _page(request, text, language, form, status=UNPROCESSABLE)


def _text_to_oneself(request: StaffRequest, text: TextKey, language: str, form: EditorForm) -> HttpResponse:
    """Send the words as they stand, for the sample patient, to the phone of whoever presses the button."""
    shown = _preview_context(request, text, language)["preview"]
    try:
        if not request.user.phone:
            raise ConflictError("Your account has no phone yet: set it on your account page, then try again.")
        if not shown.parts or text.medium is not Medium.SMS:
            raise ConflictError("These words cannot be texted as they stand.")
        write_test(
            sender=default_sender(clinic=request.user.clinic),
            number=request.user.phone,
            clinician=request.user,
            now=clock.now(),
            key=_key(request),
            words=shown.body,
        )
    except ReminderError as error:
        form.add_error("body", str(error))
        return _page(request, text, language, form, status=UNPROCESSABLE)
    messages.success(request, "On its way to your phone. Nothing is stored or published.")
    return _page(request, text, language, form)


def _key(request: StaffRequest) -> UUID:
    """Return what makes one press of the button one text."""
    try:
        return UUID(request.POST.get("test_key", ""))
    except ValueError:
        return uuid4()


def _ask_about_planned(
    request: StaffRequest, text: TextKey, language: str, form: EditorForm, affected: QuerySet[Message], count: int
) -> HttpResponse:
    """Show whose planned texts carry other words, before anything is published."""
    after = form.cleaned_data["body"].replace("\r\n", "\n")
    context: dict[str, Any] = {
        "text": text,
        "title": text_title(text.key),
        "language": language,
        "form": form,
        "count": count,
        "affected": affected.select_related("patient", "template_version")[:SHOWN],
        "changes": word_changes(before=_published_body(request.user.clinic, text.key, language), after=after),
        "now": clock.now(),
    }
    return render(request, "console/template_publish.j2", context)


def _page(request: StaffRequest, text: TextKey, language: str, form: EditorForm, status: int = 200) -> HttpResponse:
    clinic = request.user.clinic
    other = "es" if language == "en" else "en"
    template = _template(clinic, text.key, language)
    versions = list(template.versions.select_related("author").order_by("-number")[:20]) if template else []
    published = template.published if template else None
    context = {
        **_preview_context(request, text, language, source=form["body"].value() or ""),
        "title": text_title(text.key),
        "language": language,
        "other": other,
        "other_body": _published_body(clinic, text.key, other),
        "form": form,
        "versions": versions,
        "published": published,
        "draft": next((version for version in versions if version.published_at is None), None),
        "palette": previews.palette(text, language),
        "test_key": uuid4(),
        "can_publish": allows(clinician=request.user, may=May.PUBLISH_TEXTS),
        "zone": clinic.timezone,
    }
    return render(request, "console/template.j2", context, status=status)


def _preview_context(request: StaffRequest, text: TextKey, language: str, source: str | None = None) -> dict[str, Any]:
    chosen: QueryDict = request.POST
    options = previews.options_for(text, _plain(chosen), was_sent=request.method == "POST")
    words = chosen.get("body", "") if source is None else source
    shown = previews.preview(
        clinic=request.user.clinic, text=text, language=language, source=words.replace("\r\n", "\n"), options=options
    )
    return {"text": text, "options": options, "preview": shown, "clinic": request.user.clinic}


def _plain(data: QueryDict) -> Mapping[str, str]:
    return {name: str(value) for name, value in data.items()}


def _known(key: str, language: str) -> TextKey:
    text = previews.text_of(key)
    if text is None or language not in LANGUAGES:
        raise Http404
    return text


def _template(clinic: Clinic, key: str, language: str) -> Template | None:
    return Template.objects.filter(clinic=clinic, key=key, language=language).select_related("published").first()


def _published_body(clinic: Clinic, key: str, language: str) -> str:
    template = _template(clinic, key, language)
    return template.published.body if template and template.published else ""


def _words_to_edit(request: StaffRequest, key: str, language: str) -> str:
    """Return the words of the version asked for, else the draft, else what is published."""
    template = _template(request.user.clinic, key, language)
    if template is None:
        return ""
    asked = request.GET.get("version", "")
    versions = template.versions.order_by("-number")
    chosen: TemplateVersion | None = versions.filter(number=int(asked)).first() if asked.isdecimal() else None
    chosen = chosen or versions.filter(published_at__isnull=True).first() or template.published
    return chosen.body if chosen else ""


_SHELVES: Final = (
    ("Planned texts", "Sent on their own after a treatment."),
    ("Danger signs", "Sent within a second when a reply sounds dangerous."),
    ("Answers", "Sent when a patient writes."),
    ("Quick texts", "Offered to colleagues who write to a patient by hand; the clinic’s name is put in front."),
    ("Staff", "For colleagues: a code and a link, never a name."),
    ("Consent", "What a patient agrees to before any text leaves."),
)


def _shelf_of(text: TextKey) -> str:
    if text.planned:
        return "Planned texts"
    if text.medium is Medium.PAGE:
        return "Consent"
    if text.key.startswith(QUICK):
        return "Quick texts"
    if text.key in DANGER:
        return "Danger signs"
    return "Staff" if text.audience is Audience.STAFF else "Answers"
