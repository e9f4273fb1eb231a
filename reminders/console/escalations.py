"""One case on one screen: who, what was done, what they wrote, what to ask, and who has it."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from reminders import clock
from reminders.clinic.errors import ReminderError
from reminders.clinic.models import AuditEvent, Clinician
from reminders.clinic.selectors import newest_screening
from reminders.console import timeline
from reminders.console.access import May, StaffRequest, access_escalation, allows, room
from reminders.console.call_scripts import call_script
from reminders.console.forms import ResolveForm
from reminders.console.marks import deciding_words
from reminders.console.moments import span
from reminders.console.today import words_of
from reminders.console.wording import VIA, plain, rule_name
from reminders.conversations.models import CheckIn
from reminders.core.states import EscalationState
from reminders.escalations import services
from reminders.escalations.models import Escalation
from reminders.escalations.selectors import history
from reminders.messaging.models import Message

UNPROCESSABLE = 422


@room(may=May.READ)
def escalation(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Show the brief."""
    return _brief(request, access_escalation(request, escalation_id), ResolveForm())


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def acknowledge(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Take the case; say who has it where a colleague was faster."""
    row = access_escalation(request, escalation_id)
    try:
        services.acknowledge(
            escalation_id=row.pk, clinic=request.user.clinic, clinician=request.user, via="page", now=clock.now()
        )
    except ReminderError as error:
        row = access_escalation(request, escalation_id)
        who = f"{row.owner.display_name} was faster and has this case." if row.owner else str(error)
        messages.error(request, who)
    else:
        messages.success(request, "It is in your hands. Nobody else is called about it.")
    return redirect("escalation", escalation_id=row.pk)


@room(may=May.HANDLE_ESCALATIONS, methods=("POST",))
def resolve(request: StaffRequest, escalation_id: int) -> HttpResponse:
    """Close the case with its outcome, or show the brief again with what is missing."""
    row = access_escalation(request, escalation_id)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _brief(request, row, form, status=UNPROCESSABLE)
    try:
        services.resolve(
            escalation_id=row.pk,
            clinic=request.user.clinic,
            clinician=request.user,
            outcome=form.cleaned_data["outcome"],
            note=form.cleaned_data["note"],
            now=clock.now(),
        )
    except ReminderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Closed. It is on record in the patient’s timeline.")
    return redirect("escalation", escalation_id=row.pk)


def _brief(request: StaffRequest, row: Escalation, form: ResolveForm, status: int = 200) -> HttpResponse:
    now = clock.now()
    inbound = words_of(row)
    because = deciding_words(inbound)
    understanding = getattr(inbound, "understanding", None)
    screening = newest_screening(patient=row.patient) if row.patient else None
    context: dict[str, Any] = {
        "e": row,
        "zone": row.clinic.timezone,
        "waited": span(now - row.created_at),
        "number": _number(row, inbound.from_number if inbound else ""),
        "inbound": inbound,
        "because": because,
        "rules": [(piece["text"], rule_name(piece["rule"])) for piece in because],
        "read_as": timeline.read_as(inbound) if inbound else "",
        "understanding": understanding,
        "score": _score(row),
        "earlier": _earlier_answers(row),
        "screening": screening,
        "screening_facts": timeline.screening_facts(screening) if screening else ([], []),
        "soreness": timeline.soreness(row.treatment_session) if row.treatment_session else "",
        "texts": _texts(row),
        "script": call_script(
            reason=row.reason,
            flags=understanding.flags if understanding else [],
            regions=row.treatment_session.regions if row.treatment_session else [],
            clinic_name=row.clinic.name,
        ),
        "history": _history(row),
        "form": form,
        "can_handle": allows(clinician=request.user, may=May.HANDLE_ESCALATIONS),
        "is_open": row.state == EscalationState.OPEN,
        "is_resolved": row.state == EscalationState.RESOLVED,
    }
    return render(request, "console/escalation.j2", context, status=status)


def _number(row: Escalation, wrote_from: str) -> str:
    """Return the number to call: the one they wrote from, else the patient's primary one, but never a wrong one."""
    if row.reason == "wrong_number":
        return ""
    if wrote_from or row.patient is None:
        return wrote_from
    primary = row.patient.phones.filter(is_primary=True).first()
    return primary.number if primary else ""


def _score(row: Escalation) -> int | None:
    inbound = words_of(row)
    understanding = getattr(inbound, "understanding", None)
    if understanding and understanding.score is not None:
        return int(understanding.score)
    return row.check_in.score if row.check_in else None


def _earlier_answers(row: Escalation) -> list[CheckIn]:
    """Return the patient's last answers before this case, to compare the number with."""
    if row.patient is None:
        return []
    answered = row.patient.check_ins.filter(answered_at__lt=row.created_at, score__isnull=False)
    if row.check_in_id:
        answered = answered.exclude(pk=row.check_in_id)
    return list(answered.order_by("-answered_at")[:4])


def _texts(row: Escalation) -> list[Message]:
    """Return what the patient was sent or is to be sent: the texts of the session and of this case, else the last."""
    if row.patient is None:
        return []
    texts = Message.objects.filter(patient=row.patient).order_by("due_at", "id")
    if row.treatment_session_id is None:
        return list(reversed(texts.reverse()[:10]))
    of_case = Q(treatment_session=row.treatment_session_id) | Q(escalation=row)
    inbound = words_of(row)
    return list(texts.filter(of_case | Q(in_reply_to=inbound) if inbound else of_case)[:50])


def _history(row: Escalation) -> list[tuple[AuditEvent, str]]:
    """Return each event of the case with its sentence, the oldest first."""
    events = history(escalation=row)
    rung = {event.details.get("clinician_id") for event in events}
    names = {one.pk: one.display_name for one in Clinician.objects.filter(pk__in=rung - {None}, clinic=row.clinic_id)}
    return [(event, _sentence(event, names)) for event in events]


def _sentence(event: AuditEvent, names: dict[int, str]) -> str:
    who = event.clinician.display_name if event.clinician else "Somebody"
    told = names.get(event.details.get("clinician_id", 0), "somebody on call")
    via = VIA.get(event.details.get("via", ""), "")
    sentences = {
        "raised": "The case was opened.",
        "became_more_serious": "It became more serious.",
        "rang": f"{'Called' if event.details.get('channel') == 'voice' else 'Texted'} {told}.",
        "acknowledged": f"{who} took it {via}".strip() + ".",
        "resolved": f"{who} closed it.",
    }
    return sentences.get(event.verb, plain(event.verb).capitalize() + ".")
