"""The last page: three days of everybody, the carrier's record held against the rows and the clocks on walls."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F

from reminders.clinic.models import Clinic, ConsentRecord, TreatmentSession
from reminders.console.wording import state_reason
from reminders.content.models import Step
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.core.quiet_hours import QuietWindow, is_quiet
from reminders.core.schedule import StepKind
from reminders.core.states import DROPPED, TERMINAL, MessageState
from reminders.management.demo.stage import CLOCK_TOLERANCE, Stage
from reminders.management.rehearsal.carrier import Record, message_id
from reminders.messaging.models import AftercarePlan, DeliveryAttempt, Kind, Message

ANSWER_WITHIN = timedelta(hours=1)
# A receipt that was lost is asked for in the second round of that, half a minute after the first.
LAST_RECEIPTS_SECONDS = 120.0
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides' books, closed: every row, and every create the carrier has processed."""

    rows: Mapping[str, Message]
    created: Sequence[Record]
    received: Sequence[Record]


def check_promises(stage: Stage) -> None:
    """Wait for the last receipts, then hold both books against each other."""
    stage.wait_for(
        lambda: not Message.objects.exclude(state__in=list(TERMINAL)).exists(),
        what="every text has come to its end",
        seconds=LAST_RECEIPTS_SECONDS,
    )
    state = stage.carrier.state()
    evidence = Evidence(
        rows={str(row.public_id): row for row in Message.objects.select_related("patient", "plan")},
        created=state["messages"] + state["calls"],
        received=state["inbound"],
    )
    _nothing_lost(stage, evidence)
    _nothing_twice(stage, evidence)
    _right_time(stage, evidence)
    _nothing_after_stop(stage, evidence)
    _every_text_counts(stage, evidence)


def _nothing_lost(stage: Stage, evidence: Evidence) -> None:
    rows = evidence.rows.values()
    stage.check(f"nothing is lost: all {len(rows)} texts and calls are in one final state", bool(rows))
    counts = Counter((row.state, state_reason(row) if row.reason else "") for row in rows)
    stage.narrator.details(
        [f"{count:5} {state}{f': {reason}' if reason else ''}" for (state, reason), count in sorted(counts.items())]
    )
    stage.check("what was not sent has its reason", all(row.reason for row in rows if row.state in DROPPED))
    sessions = TreatmentSession.objects.count()
    stage.check(
        f"each of the {sessions} sessions has a row for every step, sent or not, and each question that left its nudge",
        _steps_without_a_row() == 0 and _questions_without_a_nudge() == 0,
    )
    stage.check("nothing is left unknown", not any(row.state == MessageState.UNRESOLVED for row in rows))
    stage.check("nothing lay around until it was stale", not any(row.reason == "found_past_expiry" for row in rows))


def _steps_without_a_row() -> int:
    """Return how many steps of how many plans came to nothing. The sample clinic's protocol has no conditions."""
    plans = AftercarePlan.objects.exclude(state=AftercarePlan.State.SUPERSEDED)
    steps = Step.objects.filter(kind__in=[StepKind.ADVICE, StepKind.CHECK_IN])
    owed = {
        (session_id, key)
        for session_id, version_id in plans.values_list("treatment_session_id", "protocol_version_id")
        for key in steps.filter(protocol_version_id=version_id).values_list("key", flat=True)
    }
    written = set(Message.objects.values_list("treatment_session_id", "step_key"))
    missing_plans = TreatmentSession.objects.exclude(pk__in=plans.values("treatment_session_id")).count()
    return len(owed - written) + missing_plans


def _questions_without_a_nudge() -> int:
    nudged = Message.objects.filter(kind=Kind.NUDGE).values("plan_id")
    return CheckIn.objects.filter(kind=Kind.CHECK_IN).exclude(plan_id__in=nudged).count()


def _nothing_twice(stage: Stage, evidence: Evidence) -> None:
    per_row = Counter(_id(record) for record in evidence.created)
    reached = {key for key, row in evidence.rows.items() if row.carrier_sid}
    stage.check(
        f"nothing is sent twice: the carrier has processed {len(evidence.created)} creates, one for each row that left",
        set(per_row.values()) <= {1} and set(per_row) == reached,
    )
    different = [
        record for record in evidence.created
        if (row := evidence.rows.get(_id(record))) is not None
        and (row.carrier_sid, row.to_number) != (record["sid"], record["to"])
    ]  # fmt: skip
    stage.check("each of them carries its own row’s id and went to its own phone", not different)


def _right_time(stage: Stage, evidence: Evidence) -> None:
    sent = [(evidence.rows[_id(record)], _at(record)) for record in evidence.created if _id(record) in evidence.rows]
    # A try that the carrier never processed is made again later, and that later moment is then when the text is due.
    tries = DeliveryAttempt.objects.filter(outcome=DeliveryAttempt.Outcome.ACCEPTED)
    begun = tries.filter(started_at__lt=F("message__due_at")).values_list("message__kind", flat=True)
    early = [f"{kind}: begun before it was due" for kind in begun]
    early += [
        f"{row.kind}: {(row.due_at - at).total_seconds():.1f} s before it was due, by the carrier’s clock"
        for row, at in sent
        if at < row.due_at - CLOCK_TOLERANCE
    ]
    if not stage.check("nothing left before its time", not early):
        stage.narrator.details(early[:SHOWN])
    stale = sum(at > row.expires_at + CLOCK_TOLERANCE for row, at in sent)
    stage.check("nothing left after it had expired", not stale)
    clinic = Clinic.objects.get()
    quiet = QuietWindow(clinic.quiet_start, clinic.quiet_end)
    wrote = defaultdict(list)
    for record in evidence.received:
        wrote[record["from"]].append(_at(record))
    at_night = [
        (row, at) for row, at in sent
        if row.patient is not None and _is_at_night(at, ZoneInfo(row.patient.timezone), quiet)
    ]  # fmt: skip
    unasked = [
        row for row, at in at_night
        if not any(-CLOCK_TOLERANCE <= at - written <= ANSWER_WITHIN for written in wrote[row.to_number])
    ]  # fmt: skip
    zones = {row.patient.timezone for row, _ in sent if row.patient is not None}
    stage.check(
        f"nobody was texted in their night, in {len(zones)} zones; {len(at_night)} texts answered somebody who "
        "had just written",
        not unasked,
    )


def _is_at_night(at: datetime, zone: ZoneInfo, quiet: QuietWindow) -> bool:
    """Whether the carrier has it in the night: a text due at nine sharp may be before nine by its clock."""
    return all(is_quiet(at=moment, zone=zone, quiet=quiet) for moment in (at - CLOCK_TOLERANCE, at + CLOCK_TOLERANCE))


def _nothing_after_stop(stage: Stage, evidence: Evidence) -> None:
    stops = ConsentRecord.objects.filter(decision=ConsentRecord.Decision.REVOKED)
    after = [
        evidence.rows[_id(record)].kind
        for stop in stops
        for record in evidence.created
        if record["to"] == stop.number and _at(record) > stop.recorded_at - CLOCK_TOLERANCE
    ]
    stage.check(
        f"after {stops.count()} STOP there was one confirmation and nothing else, to the end",
        after == [Kind.CONFIRMATION] * stops.count() and bool(after),
    )


def _every_text_counts(stage: Stage, evidence: Evidence) -> None:
    handled = InboundMessage.objects.filter(handled_at__isnull=False).values_list("message_sid", flat=True)
    sids = [record["sid"] for record in evidence.received]
    stage.check(
        f"each of the {len(sids)} texts that came in was stored and read once",
        sorted(handled) == sorted(sids) and InboundMessage.objects.count() == len(sids),
    )


def _id(record: Record) -> str:
    return message_id(record["status_callback"])


def _at(record: Record) -> datetime:
    return datetime.fromisoformat(record["created_at"])
