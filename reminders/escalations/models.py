"""Work for a named human: who must look, how soon, and who took it."""

from django.db import models
from django.db.models import Q

from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.core.states import EscalationState, Severity


class Escalation(models.Model):
    """One piece of work. Unique per (check-in, reason), or per (inbound text, reason) where no check-in is open."""

    class Outcome(models.TextChoices):
        ADVISED = "advised", "Spoke with the patient, advice given"
        SEEN = "seen", "Patient will come in"
        EMERGENCY = "emergency", "Sent to emergency care"
        NO_ANSWER = "no_answer", "Could not reach the patient"
        FALSE_ALARM = "false_alarm", "No concern"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="escalations")
    # Null only for a danger sign from a phone that belongs to nobody we know.
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="escalations")
    treatment_session = models.ForeignKey(
        TreatmentSession, null=True, blank=True, on_delete=models.PROTECT, related_name="escalations"
    )
    check_in = models.ForeignKey(
        "reminders.CheckIn", null=True, blank=True, on_delete=models.PROTECT, related_name="escalations"
    )
    inbound = models.ForeignKey(
        "reminders.InboundMessage", null=True, blank=True, on_delete=models.PROTECT, related_name="escalations"
    )
    reason = models.CharField(max_length=30)
    severity = models.CharField(max_length=8)
    details = models.JSONField(default=dict)
    state = models.CharField(max_length=12, default=EscalationState.OPEN)
    code = models.CharField(max_length=6)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    owner = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_via = models.CharField(max_length=8, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    note = models.TextField(max_length=2000, blank=True)
    # The ladder: how many rungs were rung in all, and when the next one is due (null: no ladder, or it stopped).
    rings = models.PositiveIntegerField(default=0)
    next_ring_at = models.DateTimeField(null=True, blank=True)
    # Put aside until then; it comes back by the clock alone, so nothing has to run for it.
    snoozed_until = models.DateTimeField(null=True, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    handed_over_by = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["check_in", "reason"], condition=Q(check_in__isnull=False), name="escalation_once_per_check_in"
            ),
            models.UniqueConstraint(
                fields=["inbound", "patient", "reason"],
                condition=Q(inbound__isnull=False),
                name="escalation_once_per_inbound",
            ),
            # A code is never reused while it is live, so an answer by text can mean only one case.
            models.UniqueConstraint(fields=["code"], condition=~Q(state="resolved"), name="escalation_live_code_once"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in EscalationState]), name="escalation_state_is_legal"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=[s.value for s in Severity]), name="escalation_severity_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open") | Q(state="resolved") | Q(owner__isnull=False, acknowledged_at__isnull=False),
                name="escalation_acknowledged_has_owner",
            ),
            models.CheckConstraint(
                condition=~Q(state="resolved") | (Q(resolved_at__isnull=False) & ~Q(outcome="")),
                name="escalation_resolved_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(snoozed_until__isnull=True) | ~(Q(severity="urgent") | Q(state="resolved")),
                name="escalation_urgent_is_not_put_aside",
            ),
        ]
        indexes = [
            # For insights: what came up in these days.
            models.Index(fields=["clinic", "created_at"], name="escalation_by_day"),
            models.Index(
                fields=["clinic", "severity", "created_at"], condition=~Q(state="resolved"), name="escalation_worklist"
            ),
            models.Index(
                fields=["next_ring_at"],
                condition=Q(state="open", next_ring_at__isnull=False),
                name="escalation_ladder_due",
            ),
        ]
