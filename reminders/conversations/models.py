"""What came in, how it was read, and the questions that wait for an answer."""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.core.states import CheckInState
from reminders.core.understanding import Intent
from reminders.messaging.models import AftercarePlan, Message


class InboundMessage(models.Model):
    """One text received, stored as it came, before it was acknowledged to the carrier."""

    class Inbox(models.TextChoices):
        NONE = "", "Not for the inbox"
        OPEN = "open", "A person should read it"
        DONE = "done", "Handled"

    # Null only where a text came to a number that is no sender of ours: kept, and reported by `doctor`.
    clinic = models.ForeignKey(Clinic, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    message_sid = models.CharField(max_length=34, unique=True)
    from_number = models.CharField(max_length=40)
    to_number = models.CharField(max_length=40)
    body = models.TextField(blank=True)
    media = models.JSONField(default=list)
    opt_out_type = models.CharField(max_length=10, blank=True)
    # The carrier lost a part of it (its error 30009): what is missing may change what it says.
    is_cut_short = models.BooleanField(default=False, db_default=False)
    received_at = models.DateTimeField()
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="inbound")
    clinician = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # What was done with it, as a code ("answered_check_in"); empty until then.
    handled_as = models.CharField(max_length=30, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    inbox = models.CharField(max_length=4, choices=Inbox.choices, default=Inbox.NONE, blank=True)
    inbox_reason = models.CharField(max_length=40, blank=True)
    # Who has taken it on while it waits in the inbox.
    assigned_to = models.ForeignKey(
        Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="inbox", db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(inbox__in=["", "open", "done"]), name="inbound_inbox_is_known"),
        ]
        indexes = [
            # For reading in order: what of this phone has not been handled yet?
            models.Index(
                fields=["clinic", "from_number", "id"], condition=Q(handled_at__isnull=True), name="inbound_unhandled"
            ),
            models.Index(fields=["clinic", "-received_at"], condition=Q(inbox="open"), name="inbound_inbox_open"),
            # For the inbox: what was dealt with in the last days?
            models.Index(fields=["clinic", "-received_at"], condition=Q(inbox="done"), name="inbound_inbox_done"),
            # For the inbox: what is mine? The foreign key has no index of its own: few rows are ever assigned.
            models.Index(fields=["assigned_to"], condition=Q(assigned_to__isnull=False), name="inbound_assigned"),
            models.Index(fields=["patient", "received_at"], name="inbound_by_patient"),
            # For the loop guard: what has this phone been answered within the last hours?
            models.Index(fields=["clinic", "from_number", "received_at"], name="inbound_by_phone"),
        ]


class PictureManager(models.Manager["Picture"]):
    """Leaves the bytes where they are until somebody asks for them: a page lists pictures, it does not load them."""

    def get_queryset(self) -> models.QuerySet["Picture"]:
        """Return rows whose encrypted bytes are read only when they are used."""
        return super().get_queryset().defer("content")


class Picture(models.Model):
    """A picture that came with a text: waiting at the carrier, kept here encrypted, or refused with its reason.

    `next_try_at` says that something is left to do: fetch it, or, once it is kept, delete it at the carrier.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Still at the carrier"
        KEPT = "kept", "Kept here"
        REFUSED = "refused", "Not kept"

    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    inbound = models.ForeignKey(InboundMessage, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    position = models.PositiveSmallIntegerField()
    # As the carrier declared it; never believed, only kept.
    declared_type = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    refusal = models.CharField(max_length=20, blank=True)
    content = models.BinaryField(null=True, blank=True)
    media_type = models.CharField(max_length=20, blank=True)
    size = models.PositiveIntegerField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    # When the carrier's copy was deleted.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = PictureManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["inbound", "position"], name="picture_once_per_place"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "kept", "refused"]), name="picture_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="kept", content__isnull=False, size__isnull=False, fetched_at__isnull=False)
                & ~Q(media_type="")
                | ~Q(state="kept") & Q(content__isnull=True),
                name="picture_kept_has_content",
            ),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(refusal="") | ~Q(state="refused") & Q(refusal=""),
                name="picture_refused_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="picture_to_do"),
        ]


class Understanding(models.Model):
    """How one inbound text was read, with the words that decided."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    inbound = models.OneToOneField(InboundMessage, on_delete=models.CASCADE, related_name="understanding")
    intent = models.CharField(max_length=10)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    flags = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    because = models.JSONField(default=list)
    is_sure = models.BooleanField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(intent__in=[i.value for i in Intent]), name="intent_is_known"),
            models.CheckConstraint(condition=Q(score__isnull=True) | Q(score__lte=10), name="understood_score_0_to_10"),
        ]


class CheckIn(models.Model):
    """A question that has left and waits for an answer; written as soon as its message reached the carrier."""

    class Outcome(models.TextChoices):
        RESOLVED = "resolved", "Fine"
        PERSISTS = "persists", "Still sore"
        RED_FLAG = "red_flag", "Danger sign"
        HUMAN = "human", "A person is looking"
        SILENT = "silent", "No answer"
        OPTED_OUT = "opted_out", "Opted out"
        WRONG_NUMBER = "wrong_number", "Wrong number"
        VOIDED = "voided", "Session voided"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="check_ins")
    treatment_session = models.ForeignKey(TreatmentSession, on_delete=models.PROTECT, related_name="check_ins")
    plan = models.ForeignKey(AftercarePlan, on_delete=models.PROTECT, related_name="check_ins")
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="check_in")
    kind = models.CharField(max_length=8)
    state = models.CharField(max_length=8, default=CheckInState.OPEN)
    outcome = models.CharField(max_length=13, choices=Outcome.choices, blank=True)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    asked_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.ForeignKey(InboundMessage, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    clarifications = models.PositiveSmallIntegerField(default=0)
    # Answer to the follow-up question: better, same or worse.
    trend = models.CharField(max_length=6, blank=True)
    silent_cause = models.CharField(max_length=30, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in CheckInState]), name="check_in_state_is_legal"
            ),
            models.CheckConstraint(condition=Q(state="open") | ~Q(outcome=""), name="check_in_ended_has_outcome"),
            models.CheckConstraint(condition=Q(score__isnull=True) | Q(score__lte=10), name="check_in_score_0_to_10"),
        ]
        indexes = [
            models.Index(fields=["closes_at"], condition=Q(state="open"), name="check_in_open"),
            models.Index(fields=["patient", "-asked_at"], name="check_in_by_patient"),
            # For insights: what was asked in these days.
            models.Index(fields=["clinic", "asked_at"], name="check_in_by_day"),
            # For the Today page, which asks for each of these every few seconds, whatever lies years back.
            models.Index(fields=["clinic", "asked_at"], condition=Q(state="open"), name="check_in_waiting"),
            models.Index(fields=["clinic", "answered_at"], condition=Q(state="answered"), name="check_in_answered"),
            models.Index(fields=["clinic", "closes_at"], condition=Q(state="silent"), name="check_in_silent"),
        ]


class WhoseAnswer(models.Model):
    """A text that could be about either of the patients who share its phone, kept until the phone says about whom."""

    class State(models.TextChoices):
        OPEN = "open", "Asked"
        SETTLED = "settled", "Answered"
        GIVEN_UP = "given_up", "With a person"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    inbound = models.OneToOneField(InboundMessage, on_delete=models.CASCADE, related_name="whose")
    number = models.CharField(max_length=40)
    # In the order of the numbers that were offered, the first one for 21.
    patient_ids = ArrayField(models.BigIntegerField())
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    asked_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "settled", "given_up"]), name="whose_state_is_known"),
            models.UniqueConstraint(fields=["clinic", "number"], condition=Q(state="open"), name="whose_asked_once"),
        ]
        indexes = [
            models.Index(fields=["closes_at"], condition=Q(state="open"), name="whose_open"),
            models.Index(fields=["clinic", "number", "asked_at"], name="whose_by_phone"),
        ]
