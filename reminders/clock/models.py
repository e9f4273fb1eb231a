"""The offset of the one clock. Zero rows mean that the product runs on the database's own time."""

from django.db import models


class ClockOffset(models.Model):
    """One row at most: how far the sandbox has moved the clock. Only the sandbox may write it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    offset = models.DurationField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="clock_offset_is_one_row")]
