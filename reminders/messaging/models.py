"""Plans and outgoing messages. The message row is the truth; queues only carry its id."""

import uuid
from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.content.models import ProtocolVersion, TemplateVersion
from reminders.core.states import CARRIER_HAS_JUDGED, DROPPED, IN_OUTBOX, NOT_SURE_TO_ARRIVE, MessageState


class Sender(models.Model):
    """A number we text and call from, at its own pace.

    On the database's unmoved time: up to `claimed_until` its rate is given to texts that workers were handed, up to
    `turns_until` to texts that left.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="senders")
    number = models.CharField(max_length=16, unique=True)
    # A US long code carries about one part a second; a verified toll-free or short code more.
    parts_per_second = models.FloatField(default=1.0)
    claimed_until = models.DateTimeField(db_default=Now())
    turns_until = models.DateTimeField(db_default=Now())
    paused_reason = models.CharField(max_length=40, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^\+?[1-9][0-9]{2,14}$"), name="sender_is_a_number"),
            models.CheckConstraint(condition=Q(parts_per_second__gt=0), name="sender_rate_is_positive"),
        ]


class AftercarePlan(models.Model):
    """One protocol version laid out for one revision of a treatment session."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        SUPERSEDED = "superseded", "Replaced"
        WITHHELD = "withheld", "Advice withheld"
        CANCELLED = "cancelled", "Cancelled"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    treatment_session = models.ForeignKey(TreatmentSession, on_delete=models.PROTECT, related_name="plans")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["treatment_session", "revision"], name="plan_once_per_revision"),
            models.UniqueConstraint(fields=["treatment_session"], condition=Q(state="active"), name="plan_one_active"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "superseded", "withheld", "cancelled"]), name="plan_state_is_known"
            ),
        ]


class Kind(models.TextChoices):
    ADVICE = "advice", "Advice"
    CHECK_IN = "check_in", "Check-in"
    NUDGE = "nudge", "Nudge"
    RECHECK = "recheck", "Re-check"
    REPLY = "reply", "Automatic answer"
    EMERGENCY = "emergency", "Emergency answer"
    CONFIRMATION = "confirmation", "Confirmation"
    PERSONAL = "personal", "Written by staff"
    STAFF_NOTICE = "staff_notice", "Notice to staff"
    STAFF_CALL = "staff_call", "Call to staff"


QUESTIONS: Final = (Kind.CHECK_IN, Kind.RECHECK)
"""What asks, and so opens a check-in once its sending has ended."""


class ConsentRule(models.TextChoices):
    """Which consent the commit point asks for, at the moment of sending."""

    GRANTED = "granted", "Newest decision is a grant"
    NOT_REVOKED = "not_revoked", "Newest decision is not an opt-out"
    NONE = "none", "No consent needed: staff, opt-out confirmation, HELP"


class UnknownPolicy(models.TextChoices):
    """What happens when nobody can tell whether the carrier took it."""

    SETTLE = "settle", "Wait for evidence, never send twice"
    RESEND = "resend", "Send again: lost is worse than twice"


PRIORITY: Final = {"urgent": 0, "reply": 1, "check_in": 2, "advice": 3}


class Message(models.Model):
    """One outgoing text or call: what it belongs to, its words, and what people see of its state.

    While it has not come to its end with us, its row in the outbox knows more (`OutboxRow`); `scheduled` stands for
    `claimed` here. Foreign keys that no question starts from have no index: every row pays for each.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    clinician = models.ForeignKey(
        Clinician, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    treatment_session = models.ForeignKey(
        TreatmentSession, null=True, blank=True, on_delete=models.PROTECT, related_name="messages"
    )
    plan = models.ForeignKey(
        AftercarePlan, null=True, blank=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    step_key = models.CharField(max_length=40, blank=True)
    occurrence = models.PositiveSmallIntegerField(default=0)
    # For messages that no plan step owns: what makes this one unique ("inbound:81:emergency").
    dedupe_key = models.CharField(max_length=80, blank=True)
    in_reply_to = models.ForeignKey(
        "reminders.InboundMessage", null=True, blank=True, on_delete=models.PROTECT, related_name="answers"
    )
    escalation = models.ForeignKey(
        "reminders.Escalation", null=True, blank=True, on_delete=models.PROTECT, related_name="notices"
    )

    # The text that nobody knows the fate of, and that a person chose to send again as this one.
    sends_again = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="sent_again_as", db_index=False
    )

    kind = models.CharField(max_length=12, choices=Kind.choices)
    channel = models.CharField(max_length=5, default="sms", choices=[("sms", "Text"), ("voice", "Call")])
    priority = models.PositiveSmallIntegerField()
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="messages", db_index=False)
    to_number = models.CharField(max_length=16)
    language = models.CharField(max_length=2, default="en")
    template_version = models.ForeignKey(
        TemplateVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    body = models.TextField(max_length=1600)
    segments = models.PositiveSmallIntegerField(default=1)
    consent_rule = models.CharField(max_length=11, choices=ConsentRule.choices)
    unknown_policy = models.CharField(max_length=6, choices=UnknownPolicy.choices, default=UnknownPolicy.SETTLE)
    quiet_exempt = models.BooleanField(default=False)

    state = models.CharField(max_length=11, default=MessageState.SCHEDULED)
    reason = models.CharField(max_length=60, blank=True)
    # Whether its words say who writes and how to stop.
    introduces = models.BooleanField(default=False, db_default=False)
    # Of a question: whether its check-in was opened, or none is owed any more.
    seen_to = models.BooleanField(default=False, db_default=False)
    # Why it must not wait again, should the try that is under way prove never to have been processed.
    withdrawn = models.CharField(max_length=30, blank=True, default="", db_default="")
    first_due_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    carrier_sid = models.CharField(max_length=34, blank=True)
    carrier_rank = models.SmallIntegerField(default=-1)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "step_key", "occurrence"],
                condition=Q(plan__isnull=False, sends_again__isnull=True),
                name="message_once_per_step",
            ),
            models.UniqueConstraint(
                fields=["sends_again"], condition=Q(sends_again__isnull=False), name="message_sent_again_once"
            ),
            models.UniqueConstraint(
                fields=["clinic", "dedupe_key"], condition=~Q(dedupe_key=""), name="message_dedupe_once"
            ),
            models.UniqueConstraint(fields=["carrier_sid"], condition=~Q(carrier_sid=""), name="message_sid_once"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in MessageState if state != MessageState.CLAIMED]),
                name="message_state_is_legal",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=sorted(state.value for state in DROPPED)) | ~Q(reason=""),
                name="message_dropped_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(plan__isnull=False) | ~Q(dedupe_key=""), name="message_has_an_owner_or_a_key"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="message_kind_is_known"),
        ]
        indexes = [
            models.Index(fields=["patient", "due_at"], name="message_by_patient"),
            # For monitoring: what has left or ended lately. For insights: of which clinic, and in how many parts.
            models.Index(
                fields=["changed_at"],
                include=["state", "clinic", "kind", "channel", "segments"],
                condition=~Q(state__in=sorted(state.value for state in IN_OUTBOX)),
                name="message_lately",
            ),
            # For opening check-ins: the questions that were asked a moment ago. Empty again as soon as they are open.
            models.Index(
                fields=["due_at"],
                condition=Q(
                    kind__in=QUESTIONS, state__in=sorted(state.value for state in CARRIER_HAS_JUDGED), seen_to=False
                ),
                name="message_asked",
            ),
            # For second attempts: what the carrier took and could not deliver, by the moment it said so.
            models.Index(
                fields=["changed_at"], condition=Q(state__in=["failed", "undelivered"]), name="message_fell_away"
            ),
            # For the delivery page: what did not happen, or may not have, newest first.
            models.Index(
                fields=["clinic", "-changed_at"],
                condition=Q(state__in=sorted(state.value for state in NOT_SURE_TO_ARRIVE)),
                name="message_trouble",
            ),
        ]


class OutboxRow(models.Model):
    """What sending needs to know of a message that has not come to its end with us: narrow, and gone when it has.

    Triggers on the message's table put the row in and take it out (migration 0009), so there is one exactly while the
    message is scheduled, sending, ambiguous or unresolved. No foreign keys in the database, because the triggers
    promise what they would check. Written by the statements in `sql.py`, by the looks for evidence, and where a text is
    introduced while its worker holds it.
    """

    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="outbox", db_constraint=False
    )
    clinic = models.ForeignKey(
        Clinic, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    sender = models.ForeignKey(
        Sender, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    to_number = models.CharField(max_length=16)
    priority = models.PositiveSmallIntegerField()
    segments = models.PositiveSmallIntegerField()
    consent_rule = models.CharField(max_length=11, choices=ConsentRule.choices)
    unknown_policy = models.CharField(max_length=6, choices=UnknownPolicy.choices)
    state = models.CharField(max_length=10, default=MessageState.SCHEDULED)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Lease and fence are on the database's unmoved time: whoever holds the newest fence may write.
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0, db_default=0)
    # Tries that passed the commit point, when the last of them did, and how many of them may have arrived.
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    began_at = models.DateTimeField(null=True, blank=True)
    unknown_tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    # When evidence is looked for next.
    look_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "reminders_outbox"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=sorted(state.value for state in IN_OUTBOX)), name="outbox_state_is_legal"
            ),
        ]
        indexes = [
            # For the claim: what waits for one sender at one priority, by due time.
            models.Index(
                fields=["sender", "priority", "due_at", "message"],
                condition=Q(state="scheduled"),
                name="outbox_waiting",
            ),
            # For the scheduler: when is the next one due, and is an urgent one?
            models.Index(fields=["due_at"], condition=Q(state="scheduled"), name="outbox_next_due"),
            models.Index(fields=["due_at"], condition=Q(state="scheduled", priority=0), name="outbox_urgent"),
            # For the sweep of leases that ended, and for counting what workers hold.
            models.Index(
                fields=["lease_until"],
                include=["state", "priority"],
                condition=Q(state__in=["claimed", "sending"]),
                name="outbox_leased",
            ),
            # For reconciliation.
            models.Index(fields=["look_at"], condition=Q(state="ambiguous"), name="outbox_ambiguous"),
            # For monitoring: what waits for a person.
            models.Index(fields=["changed_at"], condition=Q(state="unresolved"), name="outbox_unresolved"),
            # For an opt-out, which must find every unsent text of a phone.
            models.Index(fields=["clinic", "to_number"], name="outbox_by_phone"),
        ]


class DeliveryAttempt(models.Model):
    """What became of one try at the carrier: written when an answer came, or when its worker's lease ended without one.

    Append-only, in partitions by month; an answer that comes after its lease ended is a second row of the same try.
    """

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        NOT_PROCESSED = "not_processed", "Proven not processed"
        UNKNOWN = "unknown", "Nobody can tell"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attempt_log", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=14, choices=Outcome.choices)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    carrier_sid = models.CharField(max_length=34, blank=True)

    class Meta:
        indexes = [models.Index(fields=["message"], name="attempt_by_message")]


class CarrierEvent(models.Model):
    """One status callback as it came, without phones or words. In partitions by month."""

    clinic = models.ForeignKey(
        Clinic, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    message = models.ForeignKey(
        Message,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )
    carrier_sid = models.CharField(max_length=34)
    status = models.CharField(max_length=20)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    received_at = models.DateTimeField()
    applied = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["carrier_sid"], name="carrier_event_by_sid"),
            models.Index(fields=["message"], name="carrier_event_by_message"),
        ]
