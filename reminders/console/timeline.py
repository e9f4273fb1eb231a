"""Everything that happened with one patient, and what is planned, on one axis."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from reminders.clinic.models import AuditEvent, ConsentRecord, Patient, ScreeningRecord, TreatmentSession
from reminders.clinic.phones import mask_phone
from reminders.clinic.selectors import age_years
from reminders.console import records, wording
from reminders.console.marks import deciding_words
from reminders.console.tones import MESSAGE_STATES, SEVERITIES, TAKEN_BACK, Tone
from reminders.console.wording import say
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.core.advice import SCREENING_FACTS, Reason, Screening, decide_advice
from reminders.core.states import DROPPED, UNSENT, CheckInState, MessageState
from reminders.escalations.models import Escalation
from reminders.messaging.models import Message

NEWEST: Final = 100
"""How many rows of each sort a page shows; older ones are left out and the page says so."""

SORTS: Final[Mapping[str, str]] = {
    "all": "Everything",
    "texts": "Texts and answers",
    "care": "Treatment and screening",
    "work": "Cases and silence",
    "records": "Consent and changes",
}
"""What the axis can be narrowed to, and its words."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of the axis. `body` are our own words; `inbound` the patient's, with the pieces that decided."""

    at: datetime
    icon: str
    title: str
    detail: str = ""
    tone: Tone | None = None
    body: str = ""
    inbound: InboundMessage | None = None
    because: list[Any] = field(default_factory=list)
    escalation_id: int | None = None
    sort: str = "work"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text of the conversation, from either side."""

    at: datetime
    body: str
    from_patient: bool
    tone: Tone | None = None
    inbound: InboundMessage | None = None
    because: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Story:
    """All rows about one patient that the page shows, read once."""

    sessions: list[TreatmentSession]
    messages: list[Message]
    inbound: list[InboundMessage]
    consents: list[ConsentRecord]
    screenings: list[ScreeningRecord]
    escalations: list[Escalation]
    silent: list[CheckIn]
    records: list[AuditEvent]

    @property
    def is_cut(self) -> bool:
        """Whether older rows were left out."""
        return any(len(rows) >= NEWEST for rows in (self.sessions, self.messages, self.inbound))


def read_story(patient: Patient) -> Story:
    """Read the newest rows of each sort; eight queries, whatever the patient's history."""
    inbound = InboundMessage.objects.filter(patient=patient, clinic=patient.clinic).select_related("understanding")
    messages = Message.objects.filter(patient=patient).select_related("treatment_session")
    return Story(
        sessions=list(patient.treatment_sessions.select_related("clinician").order_by("-ended_at", "-id")[:NEWEST]),
        messages=list(messages.order_by("-due_at", "-id")[:NEWEST]),
        inbound=list(inbound.order_by("-received_at", "-id")[:NEWEST]),
        consents=list(patient.consents.select_related("recorded_by").order_by("-id")[:NEWEST]),
        screenings=list(patient.screenings.select_related("recorded_by").order_by("-recorded_at", "-id")[:NEWEST]),
        escalations=list(
            patient.escalations.select_related("owner", "resolved_by").order_by("-created_at", "-id")[:NEWEST]
        ),
        silent=list(patient.check_ins.filter(state=CheckInState.SILENT).order_by("-closes_at", "-id")[:NEWEST]),
        records=records.records_of(patient, newest=NEWEST),
    )


def moment_of(message: Message) -> datetime:
    """Return where a text stands on the axis: when it left, when it was dropped, or when it is due."""
    if message.state in DROPPED:
        return max(message.changed_at, message.created_at)
    if message.state in UNSENT:
        return message.due_at
    return message.accepted_at or message.changed_at


def axis(story: Story, *, sort: str = "all") -> list[Entry]:
    """Return all entries, or those of one of `SORTS`, the newest first; what is planned lies in the future."""
    entries = [
        *(_session(row) for row in story.sessions),
        *(_message(row) for row in story.messages),
        *(_reply(row) for row in story.inbound),
        *(_consent(row) for row in story.consents),
        *(_screening(row) for row in story.screenings),
        *(entry for row in story.escalations for entry in _escalation(row)),
        *(_silence(row) for row in story.silent),
        *(_record(row) for row in story.records),
    ]
    shown = [entry for entry in entries if sort in ("all", entry.sort)]
    return sorted(shown, key=lambda entry: entry.at, reverse=True)


def conversation(story: Story) -> list[Bubble]:
    """Return the texts of both sides that left or arrived, the oldest first."""
    ours = [
        Bubble(moment_of(row), row.body, from_patient=False, tone=MESSAGE_STATES[row.state])
        for row in story.messages
        if row.channel == "sms" and row.state not in DROPPED | UNSENT
    ]
    theirs = [
        Bubble(row.received_at, row.body, from_patient=True, inbound=row, because=deciding_words(row))
        for row in story.inbound
    ]
    return sorted([*ours, *theirs], key=lambda bubble: bubble.at)


def plans(story: Story) -> list[tuple[TreatmentSession, list[Message]]]:
    """Return each session with the texts of its course, in the order they leave; sessions without any are left out."""
    return [(session, texts) for session in story.sessions if (texts := _course(session, story.messages))]


def limits(*, patient: Patient, story: Story, now: datetime) -> tuple[Reason, ...]:
    """Return why the texts of the newest session that has any say less, by the screening that counts now."""
    session = next((session for session, _ in plans(story)), None)
    if session is None:
        return ()
    newest = story.screenings[0] if story.screenings else None
    return decide_advice(
        screening=Screening(**{fact: getattr(newest, fact) for fact in SCREENING_FACTS}) if newest else None,
        technique=session.technique,
        age_years=age_years(patient=patient, now=now),
        regions=session.regions,
    ).reasons


def _course(session: TreatmentSession, messages: list[Message]) -> list[Message]:
    rows = [row for row in messages if row.treatment_session_id == session.pk and row.step_key]
    return sorted(rows, key=lambda row: (row.due_at, row.pk))


def read_as(inbound: InboundMessage) -> str:
    """Return how a reply was read, as the end of a sentence; empty where nobody has read it."""
    understanding = getattr(inbound, "understanding", None)
    if understanding is None:
        return ""
    parts = [wording.INTENTS.get(understanding.intent, wording.plain(understanding.intent))]
    if understanding.score is not None:
        parts.append(f"{understanding.score} of 10")
    parts += [wording.FLAGS.get(flag, wording.plain(flag)) for flag in understanding.flags]
    if not understanding.is_sure:
        parts.append("not sure, so a person should look")
    return ", ".join(parts)


def soreness(session: TreatmentSession) -> str:
    """Return the soreness before and after a session in words; empty where nobody asked."""
    values = [(session.soreness_before, "before"), (session.soreness_after, "after")]
    asked = [f"{value} {when}" for value, when in values if value is not None]
    return f"soreness {', '.join(asked)}" if asked else ""


def screening_facts(record: ScreeningRecord) -> tuple[list[str], list[str]]:
    """Return what a screening found, and what nobody asked, in words."""
    found = [wording.SCREENING[fact] for fact in SCREENING_FACTS if getattr(record, fact) is True]
    unknown = [wording.SCREENING[fact] for fact in SCREENING_FACTS if getattr(record, fact) is None]
    return found, unknown


def _session(row: TreatmentSession) -> Entry:
    title = f"Treatment: {say(row.technique, wording.TECHNIQUES).lower()}"
    who = f"with {row.clinician.display_name}" if row.clinician else ""
    detail = " · ".join(part for part in (wording.regions(row.regions), who, soreness(row)) if part)
    taken_back = row.status == TreatmentSession.Status.VOIDED
    return Entry(row.ended_at, "needle", title, detail, TAKEN_BACK if taken_back else None, sort="care")


def _message(row: Message) -> Entry:
    reason = wording.state_reason(row) if row.state not in {MessageState.SCHEDULED, MessageState.DELIVERED} else ""
    icon = "phone" if row.channel == "voice" else "text"
    details = [f"Because {reason}." if reason else "", wording.in_place_of(row)]
    detail = " ".join(part for part in details if part)
    return Entry(
        moment_of(row), icon, wording.message_title(row), detail, MESSAGE_STATES[row.state], row.body, sort="texts"
    )


def _reply(row: InboundMessage) -> Entry:
    how = read_as(row)
    return Entry(
        row.received_at,
        "inbox",
        "Text from the patient",
        f"Read as: {how}." if how else "",
        inbound=row,
        because=deciding_words(row),
        sort="texts",
    )


def _consent(row: ConsentRecord) -> Entry:
    granted = row.decision == ConsentRecord.Decision.GRANTED
    title = "Agreed to texts" if granted else "Opted out of texts"
    how = wording.CONSENT_METHODS.get(row.method, wording.plain(row.method))
    tone = Tone("Agreed", "check", "good") if granted else Tone("Opted out", "minus", "same-day")
    detail = f"{mask_phone(row.number)}, {how}"
    return Entry(row.recorded_at, "shield", title, detail, tone, row.disclosure, sort="records")


def _screening(row: ScreeningRecord) -> Entry:
    found, unknown = screening_facts(row)
    parts = [", ".join(found) or ("Nothing to report" if not unknown else "")]
    if unknown:
        parts.append(f"not asked: {', '.join(unknown).lower()}" if len(unknown) < len(SCREENING_FACTS) else "not asked")
    return Entry(row.recorded_at, "list", "Screening", "; ".join(part for part in parts if part), sort="care")


def _escalation(row: Escalation) -> Iterator[Entry]:
    reason = say(row.reason, wording.REASONS)
    yield Entry(row.created_at, "alarm", reason, tone=SEVERITIES[row.severity], escalation_id=row.pk)
    if row.acknowledged_at and row.owner:
        via = wording.VIA.get(row.acknowledged_via, "")
        yield Entry(row.acknowledged_at, "hand", f"{row.owner.display_name} took it", via, escalation_id=row.pk)
    if row.resolved_at:
        who = f"by {row.resolved_by.display_name}" if row.resolved_by else ""
        yield Entry(row.resolved_at, "check", f"Closed: {row.get_outcome_display().lower()}", who, escalation_id=row.pk)


def _silence(row: CheckIn) -> Entry:
    # One second after the closing, so that it stands above what closed with it.
    at = row.closes_at + timedelta(seconds=1)
    return Entry(at, "question", "No answer to the check-in", say(row.silent_cause, wording.SILENT_CAUSES))


def _record(row: AuditEvent) -> Entry:
    return Entry(row.at, "list", records.title_of(row), records.detail_of(row), sort="records")
