"""What the brief of a case shows: who, what was done, what they wrote, what to ask, who has it, what can be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from markupsafe import Markup

from reminders.clinic.models import AuditEvent, Clinician
from reminders.clinic.phones import format_phone, mask_phone
from reminders.clinic.selectors import newest_screening
from reminders.console import timeline
from reminders.console.access import May, StaffRequest, allows
from reminders.console.call_scripts import call_script
from reminders.console.case_forms import HandOverForm, PromiseForm, SnoozeForm, colleagues
from reminders.console.forms import ResolveForm
from reminders.console.marks import deciding_words
from reminders.console.moments import moment, span
from reminders.console.score_chart import chart_of
from reminders.console.today import words_of
from reminders.console.wording import VIA, plain, rule_name
from reminders.conversations.models import CheckIn
from reminders.core.states import EscalationState
from reminders.escalations.keeping import why_not_snoozed
from reminders.escalations.models import Escalation
from reminders.escalations.patient_texts import is_opted_out
from reminders.escalations.selectors import history
from reminders.messaging.models import Message


@dataclass(slots=True)
class CaseForms:
    """The forms of the brief, each fresh unless it was sent."""

    resolve: ResolveForm
    promise: PromiseForm
    snooze: SnoozeForm
    hand_over: HandOverForm

    def problems(self) -> list[tuple[str, str]]:
        """Return what is wrong with the one that was sent."""
        forms = (self.promise, self.snooze, self.hand_over, self.resolve)
        return [problem for form in forms for problem in form.problems()]


def case_forms(request: StaffRequest, row: Escalation, now: datetime, sent: str = "") -> CaseForms:
    """Return the forms of a case; `sent` names the one that holds what was sent."""

    def data(name: str) -> Any:
        return request.POST if name == sent else None

    me, staff = request.user, colleagues(clinic=row.clinic)
    return CaseForms(
        resolve=ResolveForm(data("resolve")),
        promise=PromiseForm(data("promise"), staff=staff, me=me),
        snooze=SnoozeForm(data("snooze"), clinic=row.clinic, now=now),
        hand_over=HandOverForm(data("hand_over"), staff=staff, me=me, owner_id=row.owner_id),
    )


def brief_of(
    request: StaffRequest, row: Escalation, forms: CaseForms, now: datetime, *, number_open: bool = False
) -> dict[str, Any]:
    """Return all that the page of a case shows; a fixed number of queries."""
    can_handle = allows(clinician=request.user, may=May.HANDLE_ESCALATIONS)
    number = _number(row)
    return {
        "e": row,
        "zone": row.clinic.timezone,
        "waited": span(now - row.created_at),
        "number": number if can_handle else "",
        "number_shown": format_phone(number) if number_open else mask_phone(number),
        "number_open": number_open,
        "texts": _texts(row),
        "history": _history(row),
        "forms": forms,
        "form": forms.resolve,
        "can_handle": can_handle,
        "is_open": row.state == EscalationState.OPEN,
        "is_resolved": row.state == EscalationState.RESOLVED,
        "is_aside": row.snoozed_until is not None and row.snoozed_until > now,
        "is_back": row.snoozed_until is not None and row.snoozed_until <= now,
        "not_aside": why_not_snoozed(escalation=row),
        "opted_out": is_opted_out(escalation=row),
        **_said(row),
        **_known(row),
    }


def _said(row: Escalation) -> dict[str, Any]:
    """Return what the patient wrote, how it was read, and what to ask."""
    inbound = words_of(row)
    because = deciding_words(inbound)
    understanding = getattr(inbound, "understanding", None)
    score = _score(row)
    return {
        "inbound": inbound,
        "because": because,
        "rules": [(piece["text"], rule_name(piece["rule"])) for piece in because],
        "read_as": timeline.read_as(inbound) if inbound else "",
        "understanding": understanding,
        "score": score,
        "chart": chart_of(row=row, score=score, said_at=inbound.received_at if inbound else None),
        "earlier": _earlier_answers(row),
        "script": call_script(
            reason=row.reason,
            flags=understanding.flags if understanding else [],
            regions=row.treatment_session.regions if row.treatment_session else [],
            clinic_name=row.clinic.name,
        ),
    }


def _known(row: Escalation) -> dict[str, Any]:
    """Return what was known of the patient before they wrote."""
    screening = newest_screening(patient=row.patient) if row.patient else None
    return {
        "screening": screening,
        "screening_facts": timeline.screening_facts(screening) if screening else ([], []),
        "soreness": timeline.soreness(row.treatment_session) if row.treatment_session else "",
    }


def _number(row: Escalation) -> str:
    """Return the number to call: the one they wrote from, else the patient's primary one, but never a wrong one."""
    inbound = words_of(row)
    wrote_from = inbound.from_number if inbound else ""
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
    return [(event, _sentence(event, names, row.clinic.timezone)) for event in events]


def _sentence(event: AuditEvent, names: dict[int, str], zone: str) -> str:
    who = event.clinician.display_name if event.clinician else "Somebody"
    told = names.get(event.details.get("clinician_id", 0), "somebody on call")
    via = VIA.get(event.details.get("via", ""), "")
    sentences = {
        "raised": "The case was opened.",
        "became_more_serious": "It became more serious.",
        "rang": f"{'Called' if event.details.get('channel') == 'voice' else 'Texted'} {told}.",
        "acknowledged": f"{who} took it {via}".strip() + ".",
        "resolved": f"{who} closed it.",
        "came_back": "It came back, because there is news.",
        "taken_up_again": f"{who} took it up again.",
        "handed_over": f"{who} handed it to {told}.",
        "number_opened": f"{who} looked at the number.",
    }
    for verb, words, name in (
        ("put_aside", f"{who} put it aside until", "until"),
        ("patient_told", f"{who} told the patient that {told} calls by", "by"),
    ):
        if event.verb == verb and event.details.get(name):
            return Markup("{} {}.").format(words, moment(datetime.fromisoformat(event.details[name]), zone))
    return sentences.get(event.verb, plain(event.verb).capitalize() + ".")
