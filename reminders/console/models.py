"""What the pages themselves keep."""

from django.db import models

from reminders.clinic.models import Clinic, Clinician


class SignInBrake(models.Model):
    """Failed logins of one name from one address, until they are forgotten. `who` is a keyed digest of both."""

    who = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveSmallIntegerField(default=0)
    forget_at = models.DateTimeField(db_index=True)


class ImportFile(models.Model):
    """A file of sessions between upload and import, for its uploader alone; gone at `forget_at` at the latest.

    `content` is encrypted: the whole file, after the import the rows that were refused. `result` holds numbers, fields
    and sentences, never a cell of the file.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKED = "checked", "Checked"
        RUNNING = "running", "Being taken in"
        DONE = "done", "Taken in"

    public_id = models.UUIDField(unique=True)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="+")
    content = models.BinaryField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.UPLOADED)
    mapping = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    is_remembered = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    forget_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["uploaded", "checked", "running", "done"]),
                name="import_file_state_is_known",
            ),
        ]


class ImportLayout(models.Model):
    """What a clinic said last about the columns of tables with this very header, so that it need not say it again.

    `header` is a keyed digest: a table without a header has a patient in its first line.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    header = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "header"], name="import_layout_once")]
