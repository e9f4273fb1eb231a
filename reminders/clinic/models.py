"""Clinics, their staff, their patients, and what was agreed with them.

No model here has a `__str__` with a name or a phone in it: such strings end up in logs and error pages.
"""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Clinic(models.Model):
    """A tenant: every other row names one, and no query crosses from one to another."""

    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)
    phone = models.CharField(max_length=16)
    booking_url = models.URLField(blank=True)
    timezone = models.CharField(max_length=40, default="America/Chicago")
    language = models.CharField(max_length=2, default="en", choices=[("en", "English"), ("es", "Spanish")])
    # {"mon": ["08:00", "18:00"], ...}; a day that is missing is closed.
    opening_hours = models.JSONField(default=dict)
    reply_hours = models.CharField(max_length=60, blank=True, help_text="As patients read it: weekdays 8 am to 6 pm")
    reply_hours_es = models.CharField(max_length=60, blank=True, help_text="The same in Spanish")
    quiet_start = models.TimeField(default="20:00")
    quiet_end = models.TimeField(default="09:00")
    is_paused = models.BooleanField(default=False)
    # Whether an emergency text may go to a patient who has opted out: only if counsel agrees, so off by default.
    emergency_text_after_opt_out = models.BooleanField(default=False)
    # How long what is held on a patient stays after the last contact, before it may be erased. The law of the place
    # decides: documentation under HIPAA 6 years (45 CFR 164.316(b)(2)), hospitals in Illinois 10, the default.
    records_kept_years = models.PositiveSmallIntegerField(default=10, db_default=10)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(records_kept_years__gte=6), name="clinic_keeps_records_six_years"),
        ]


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    THERAPIST = "therapist", "Therapist"
    FRONT_DESK = "front_desk", "Front desk"
    VIEWER = "viewer", "Viewer"


class Clinician(AbstractUser):
    """A staff user of one clinic."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="clinicians")
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.THERAPIST)
    phone = models.CharField(max_length=16, blank=True)
    external_id = models.CharField(max_length=64, blank=True)
    timezone = models.CharField(max_length=40, blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "clinic"]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "external_id"], condition=~Q(external_id=""), name="clinician_external_id_once"
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="clinician_role_is_known"),
        ]

    @property
    def display_name(self) -> str:
        """The name colleagues read on pages."""
        return self.get_full_name() or self.username


class LadderRung(models.Model):
    """One rung of the on-call ladder: whom to reach, how, and how long to wait before the next."""

    class Channel(models.TextChoices):
        SMS = "sms", "Text"
        VOICE = "voice", "Call"

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="ladder")
    position = models.PositiveSmallIntegerField()
    clinician = models.ForeignKey(Clinician, on_delete=models.PROTECT, related_name="rungs")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    wait_minutes = models.PositiveSmallIntegerField(default=3)

    class Meta:
        ordering = ["clinic", "position"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "position"], name="ladder_position_once"),
            models.CheckConstraint(condition=Q(channel__in=["sms", "voice"]), name="rung_channel_is_known"),
            models.CheckConstraint(condition=Q(wait_minutes__gte=1), name="rung_waits_a_minute_or_more"),
        ]


class ApiKey(models.Model):
    """A per-clinic key for the API. Only its SHA-256 is stored; the key is shown once, when it is made."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="api_keys")
    label = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)


class Patient(models.Model):
    """A person treated."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    external_id = models.CharField(max_length=64, blank=True)
    given_name = models.CharField(max_length=60)
    family_name = models.CharField(max_length=60, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=2, default="en", choices=[("en", "English"), ("es", "Spanish")])
    timezone = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    # What is left since then are numbers without a person; pages do not find it any more.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "external_id"], condition=~Q(external_id=""), name="patient_external_id_once"
            ),
            models.CheckConstraint(condition=Q(language__in=["en", "es"]), name="patient_language_is_known"),
        ]
        indexes = [models.Index(fields=["clinic", "family_name", "given_name"], name="patient_by_name")]

    @property
    def display_name(self) -> str:
        """The name staff read on pages."""
        return f"{self.given_name} {self.family_name}".strip()


class PhoneState(models.TextChoices):
    OK = "ok", "In use"
    LANDLINE = "landline", "Cannot receive texts"
    DEAD = "dead", "No longer in service"
    UNREACHABLE = "unreachable", "Not reachable lately"
    QUARANTINED = "quarantined", "Reported as a wrong number"


class PatientPhone(models.Model):
    """One number of a patient. Two patients may share one (a couple, a parent)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(max_length=16)
    is_primary = models.BooleanField(default=True)
    state = models.CharField(max_length=12, choices=PhoneState.choices, default=PhoneState.OK)
    state_changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "number"], name="patient_phone_once"),
            models.UniqueConstraint(fields=["patient"], condition=Q(is_primary=True), name="patient_one_primary"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="patient_phone_is_e164"),
            models.CheckConstraint(condition=Q(state__in=PhoneState.values), name="patient_phone_state_is_known"),
        ]
        # For: who wrote to us from this number?
        indexes = [models.Index(fields=["clinic", "number"], name="phone_by_number")]


class ScreeningRecord(models.Model):
    """Facts that change advice, as asked on one day. The newest row counts; null means nobody asked."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="screenings")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    bleeding_disorder = models.BooleanField(null=True, blank=True)
    anticoagulant = models.BooleanField(null=True, blank=True)
    nsaid_allergy = models.BooleanField(null=True, blank=True)
    ulcer = models.BooleanField(null=True, blank=True)
    kidney_disease = models.BooleanField(null=True, blank=True)
    liver_disease = models.BooleanField(null=True, blank=True)
    pregnancy = models.BooleanField(null=True, blank=True)
    metal_allergy = models.BooleanField(null=True, blank=True)
    reduced_sensation = models.BooleanField(null=True, blank=True)
    pacemaker = models.BooleanField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "-recorded_at", "-id"], name="screening_newest")]


class ConsentRecord(models.Model):
    """One dated decision about one number and one channel; the newest row counts. Rows are never changed."""

    class Decision(models.TextChoices):
        GRANTED = "granted", "Agreed"
        REVOKED = "revoked", "Opted out"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.SET_NULL, related_name="consents")
    number = models.CharField(max_length=16)
    channel = models.CharField(max_length=5, default="sms")
    decision = models.CharField(max_length=7, choices=Decision.choices)
    method = models.CharField(max_length=30)
    disclosure = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["sms", "voice", "email"]), name="consent_channel_is_known"),
            models.CheckConstraint(condition=Q(decision__in=["granted", "revoked"]), name="consent_decision_is_known"),
        ]
        indexes = [
            # For: the commit point, which asks for the newest decision of each message it lets through.
            models.Index(fields=["clinic", "number", "channel", "-id"], name="consent_newest"),
            # For insights: who ended the texts in these days.
            models.Index(fields=["clinic", "recorded_at"], condition=Q(decision="revoked"), name="consent_ended"),
        ]


class Technique(models.TextChoices):
    DEEP = "deep", "Deep dry needling"
    SUPERFICIAL = "superficial", "Superficial dry needling"
    ELECTRO = "electro", "Electro dry needling"


class TreatmentSession(models.Model):
    """A finished visit. `revision` rises with every correction; a plan is owed until `planned_revision` equals it."""

    class Status(models.TextChoices):
        COMPLETED = "completed", "Completed"
        VOIDED = "voided", "Voided"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="treatment_sessions")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="treatment_sessions")
    clinician = models.ForeignKey(
        Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="treatment_sessions"
    )
    external_id = models.CharField(max_length=64)
    technique = models.CharField(max_length=12, choices=Technique.choices)
    regions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    ended_at = models.DateTimeField()
    soreness_before = models.PositiveSmallIntegerField(null=True, blank=True)
    soreness_after = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.COMPLETED)
    revision = models.PositiveIntegerField(default=1)
    planned_revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "external_id"], name="treatment_session_external_id_once"),
            models.CheckConstraint(condition=Q(technique__in=Technique.values), name="technique_is_known"),
            models.CheckConstraint(condition=Q(status__in=["completed", "voided"]), name="session_status_is_known"),
            models.CheckConstraint(
                condition=Q(planned_revision__lte=models.F("revision")), name="session_planned_not_ahead"
            ),
            models.CheckConstraint(
                condition=(Q(soreness_before__isnull=True) | Q(soreness_before__lte=10))
                & (Q(soreness_after__isnull=True) | Q(soreness_after__lte=10)),
                name="session_soreness_is_0_to_10",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-ended_at"], name="session_by_patient"),
            # For insights: what was treated in these days.
            models.Index(fields=["clinic", "ended_at"], name="session_by_day"),
            # For: the sweep that plans what a lost task missed.
            models.Index(
                fields=["updated_at"], condition=~Q(planned_revision=models.F("revision")), name="session_not_planned"
            ),
        ]


class AuditEvent(models.Model):
    """Who did what to which row, when. Append-only; details hold codes and numbers, never names, phones or words."""

    class Actor(models.TextChoices):
        SYSTEM = "system", "Automatic"
        CLINICIAN = "clinician", "Staff"
        PATIENT = "patient", "Patient"
        API = "api", "API"
        CARRIER = "carrier", "Carrier"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    actor = models.CharField(max_length=9, choices=Actor.choices)
    clinician = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.SET_NULL, related_name="audit_events")
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "-at"], name="audit_by_clinic"),
            models.Index(fields=["subject", "subject_id", "at"], name="audit_by_subject"),
            # For monitoring: an alarm that must never ring.
            models.Index(fields=["at"], condition=Q(verb="second_carrier_id"), name="audit_second_carrier_id"),
        ]
