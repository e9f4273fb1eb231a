"""What the pages themselves keep."""

from django.db import models


class SignInBrake(models.Model):
    """Failed logins of one name from one address, until they are forgotten. `who` is a keyed digest of both."""

    who = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveSmallIntegerField(default=0)
    forget_at = models.DateTimeField(db_index=True)
