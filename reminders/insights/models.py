"""What the processes leave behind about themselves; nothing about patients."""

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """One duty of one process, and when it was last seen at it, on the database's unmoved time."""

    kind = models.CharField(max_length=20)
    duty = models.CharField(max_length=40)
    # The host's name and what tells processes on it apart; the row is that process's own.
    name = models.CharField(max_length=200)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "duty", "name"], name="heartbeat_once")]
