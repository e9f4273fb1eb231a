"""Taking back what has not left. These run inside the transaction of the opt-out, cancel or void that causes them.

A worker that is passing the commit point with the same row is waited for, or waits and finds the row gone from the
unsent states: so once the cause has committed, no further try can begin. What is in flight at that moment keeps the
cause as `withdrawn`: should the carrier prove never to have taken it, it does not wait for a second try.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.core.states import IN_FLIGHT, UNSENT, MessageState
from reminders.messaging.models import AftercarePlan, ConsentRule, Kind, Message

# What belongs to the course of one session; answers and notices do not.
COURSE = (Kind.ADVICE, Kind.CHECK_IN, Kind.NUDGE, Kind.RECHECK)


def take_back(
    messages: QuerySet[Message],
    *,
    reason: str,
    now: datetime,
    state: MessageState = MessageState.CANCELLED,
    also_in_flight: bool = True,
) -> int:
    """Move those of `messages` that are unsent to a dropped `state`; return how many.

    Those in flight do not come back from a failed try either, unless `also_in_flight` is false: a plan that is laid out
    anew leaves out what may have left, so what then has not left must still go.
    """
    with transaction.atomic():
        # Locked one by one in the order of their ids, as the outbox does, and by their newest state: a text that comes
        # back from the carrier just now is met as unsent.
        within = UNSENT | IN_FLIGHT if also_in_flight else UNSENT
        rows = messages.filter(state__in=list(within)).order_by("id")
        found = list(rows.select_for_update(of=("self",), no_key=True).values_list("id", "state"))
        unsent = [pk for pk, at in found if at in UNSENT]
        in_flight = [pk for pk, at in found if at in IN_FLIGHT]
        if in_flight:
            Message.objects.filter(pk__in=in_flight, withdrawn="").update(withdrawn=reason)
        if not unsent:
            return 0
        return Message.objects.filter(pk__in=unsent).update(state=state, reason=reason, changed_at=now)


def cancel_course(
    *, treatment_session: TreatmentSession, reason: str, now: datetime, kinds: Collection[Kind] = COURSE
) -> int:
    """Cancel the unsent texts of one session, of the kinds given; return how many."""
    course = Message.objects.filter(treatment_session=treatment_session, kind__in=list(kinds))
    return take_back(course, reason=reason, now=now)


def make_way_for_new_plan(*, treatment_session: TreatmentSession, now: datetime) -> int:
    """Cancel what a new plan of the same session lays out anew; what is in flight stays with the old one."""
    planned = Message.objects.filter(treatment_session=treatment_session, kind__in=[Kind.ADVICE, Kind.CHECK_IN])
    return take_back(planned, reason="replanned", now=now, also_in_flight=False)


def suppress_phone(*, clinic: Clinic, number: str, now: datetime, reason: str = "opted_out") -> int:
    """Suppress every unsent text of a phone after its opt-out, but what needs no consent; they are never restored.

    That is the confirmation, and an emergency answer where the clinic's counsel agreed to it. With another `reason`,
    the same for a phone that cannot be texted any more.
    """
    # By the outbox, which holds the unsent ones alone; the message's row says whether it still is.
    texts = Message.objects.filter(outbox__clinic=clinic, outbox__to_number=number, patient__isnull=False)
    return take_back(
        texts.exclude(consent_rule=ConsentRule.NONE), reason=reason, now=now, state=MessageState.SUPPRESSED
    )


def withhold_advice(*, treatment_session: TreatmentSession, now: datetime) -> int:
    """Withhold the unsent advice of a session after a danger sign: no heat, exercise or pills until a human looked."""
    AftercarePlan.objects.filter(treatment_session=treatment_session, state=AftercarePlan.State.ACTIVE).update(
        state=AftercarePlan.State.WITHHELD
    )
    return cancel_course(treatment_session=treatment_session, reason="red_flag", now=now, kinds=[Kind.ADVICE])


def cancel_older_advice(*, patient: Patient, newest: TreatmentSession, now: datetime) -> int:
    """Cancel the unsent advice of the patient's earlier sessions: the newer session's advice takes its place.

    Of two that ended in the same minute (two techniques in one visit) the one recorded later is the newer.
    """
    earlier = Q(treatment_session__ended_at__lt=newest.ended_at) | Q(
        treatment_session__ended_at=newest.ended_at, treatment_session__lt=newest.pk
    )
    advice = Message.objects.filter(earlier, patient=patient, kind=Kind.ADVICE)
    return take_back(advice, reason="newer_session", now=now)


def stop_sending_again(*, message_id: int, now: datetime) -> int:
    """Take back the text that was to leave in the place of this one, which has left after all; return how many."""
    return take_back(Message.objects.filter(sends_again=message_id), reason="first_one_left", now=now)
