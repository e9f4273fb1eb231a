"""Patients: find one, and read the whole story on one page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from reminders import clock
from reminders.clinic.models import Patient, TreatmentSession
from reminders.clinic.selectors import newest_screening
from reminders.console import timeline
from reminders.console.access import May, StaffRequest, access_patient, room
from reminders.core.states import EscalationState
from reminders.insights.selectors import find_patients

SHOWN = 50


@room(may=May.READ, methods=("GET", "HEAD", "POST"))
def patient_list(request: StaffRequest) -> HttpResponse:
    """List patients by name, or those who match the search, which comes by POST: addresses hold no names or phones."""
    words = request.POST.get("q", "").strip()[:80]
    rows = find_patients(clinic=request.user.clinic, words=words, limit=SHOWN + 1)
    context = {
        "clinic": request.user.clinic,
        "words_searched": words,
        "rows": rows[:SHOWN],
        "more": len(rows) > SHOWN,
        "shown": SHOWN,
    }
    return render(request, "console/patients.j2", context)


@room(may=May.READ)
def patient(request: StaffRequest, patient_id: int) -> HttpResponse:
    """Show one patient: sessions and their plans, the conversation, and everything on one axis."""
    row = access_patient(request, patient_id)
    request.is_poll = bool(request.htmx)  # the page asks again by itself while a plan is being laid out
    sort = request.GET.get("show", "")
    return render(request, "console/patient.j2", _context(row, sort if sort in timeline.SORTS else "all"))


def _context(row: Patient, sort: str) -> dict[str, Any]:
    now = clock.now()
    story = timeline.read_story(row)
    entries = timeline.axis(story, sort=sort)
    screening = newest_screening(patient=row)
    phones = sorted(row.phones.all(), key=lambda phone: not phone.is_primary)
    decisions = {record.number: record for record in reversed(story.consents)}
    return {
        "patient": row,
        "now": now,
        "zone": row.timezone,
        "phones": [(phone, decisions.get(phone.number)) for phone in phones],
        "screening": screening,
        "screening_facts": timeline.screening_facts(screening) if screening else ([], []),
        "plans": timeline.plans(story),
        "limits": timeline.limits(patient=row, story=story, now=now),
        "being_planned": any(map(_is_being_planned, story.sessions)),
        "planned": list(reversed([entry for entry in entries if entry.at > now])),
        "past": [entry for entry in entries if entry.at <= now],
        "bubbles": timeline.conversation(story),
        "open_escalations": [e for e in story.escalations if e.state != EscalationState.RESOLVED],
        "latest_session": story.sessions[0] if story.sessions else None,
        "is_cut": story.is_cut,
        "sort": sort,
        "sorts": timeline.SORTS,
    }


def _is_being_planned(session: TreatmentSession) -> bool:
    is_owed = session.planned_revision != session.revision
    return is_owed and session.status == TreatmentSession.Status.COMPLETED
