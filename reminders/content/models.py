"""The words and the protocols. A published version never changes; a new one takes its place."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reminders.clinic.models import Clinic, Clinician
from reminders.core.schedule import StepKind, WhenQuiet


class Template(models.Model):
    """One text in one language, by key; its words live in versions."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="templates")
    key = models.SlugField(max_length=40)
    language = models.CharField(max_length=2)
    published = models.ForeignKey(
        "reminders.TemplateVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "key", "language"], name="template_once"),
            models.CheckConstraint(condition=Q(language__in=["en", "es"]), name="template_language_is_known"),
        ]


class TemplateVersion(models.Model):
    """The words at one moment. Draft while `published_at` is null; a trigger refuses changes once it is not."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.TextField(max_length=4000)
    author = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(published_at__isnull=True), name="template_one_draft"
            ),
        ]


class Protocol(models.Model):
    """What is sent after which treatment, by key.

    `techniques` are those after which it is used in the place of the default protocol, which serves all others.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="protocols")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    techniques = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    published = models.ForeignKey(
        "reminders.ProtocolVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "key"], name="protocol_once"),
            models.CheckConstraint(
                condition=Q(techniques=[]) | Q(published__isnull=False), name="protocol_in_use_is_published"
            ),
        ]


class ProtocolVersion(models.Model):
    """One state of a protocol: its thresholds here, its steps in their own rows. Draft while `published_at` is null."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    protocol = models.ForeignKey(Protocol, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    # The protocol's name in this version; empty in those from before names had versions.
    name = models.CharField(max_length=80, blank=True, default="", db_default="")
    thresholds = models.JSONField(default=dict)
    author = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["protocol", "number"], name="protocol_version_once"),
            models.UniqueConstraint(
                fields=["protocol"], condition=Q(published_at__isnull=True), name="protocol_one_draft"
            ),
        ]


class Step(models.Model):
    """One line of a protocol version."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    kind = models.CharField(max_length=8)
    template_key = models.SlugField(max_length=40)
    offset_minutes = models.PositiveIntegerField()
    when_quiet = models.CharField(max_length=7)
    expires_minutes = models.PositiveIntegerField()
    condition = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["protocol_version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["protocol_version", "key"], name="step_key_once"),
            models.UniqueConstraint(fields=["protocol_version", "position"], name="step_position_once"),
            models.CheckConstraint(condition=Q(kind__in=[k.value for k in StepKind]), name="step_kind_is_known"),
            models.CheckConstraint(
                condition=Q(when_quiet__in=[w.value for w in WhenQuiet]), name="step_when_quiet_is_known"
            ),
        ]


class RehearsalCheck(models.Model):
    """A story of a made-up patient that was played through and found right: it has to play so in the next version too.

    `story` holds the treatment, the hours and the answers, `moments` what happened then (core.rehearsal_checks).
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    protocol = models.ForeignKey(Protocol, on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=80)
    story = models.JSONField()
    moments = models.JSONField()
    author = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["protocol", "name"], name="rehearsal_check_once")]
