"""What belongs to the accounts of staff: links that open them once, and where they are signed in."""

from django.db import models
from django.db.models import Q

from reminders.clinic.models import Clinic, Clinician, Role


class StaffLink(models.Model):
    """A link that works once: it makes an account (invitation) or sets a new password. Only its SHA-256 is stored."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        PASSWORD = "password", "New password"

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="staff_links")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    digest = models.CharField(max_length=64, unique=True)
    # Whose password it sets; of an invitation, the account that was made with it.
    clinician = models.ForeignKey(Clinician, null=True, blank=True, on_delete=models.CASCADE, related_name="links")
    role = models.CharField(max_length=12, choices=Role.choices, blank=True)
    first_name = models.CharField(max_length=60, blank=True)
    last_name = models.CharField(max_length=60, blank=True)
    made_by = models.ForeignKey(Clinician, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["invitation", "password"]), name="staff_link_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind="invitation") | Q(clinician__isnull=False), name="staff_link_names_whose_password"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(withdrawn_at__isnull=True), name="staff_link_used_or_withdrawn"
            ),
        ]

    @property
    def display_name(self) -> str:
        """The name of who is invited, as colleagues read it."""
        return f"{self.first_name} {self.last_name}".strip()


class SignedInDevice(models.Model):
    """A browser in which somebody is signed in. It is gone when its session is."""

    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="devices")
    session_key = models.CharField(max_length=40, unique=True)
    label = models.CharField(max_length=60)
    signed_in_at = models.DateTimeField()


class OneTimeSecret(models.Model):
    """What somebody's authenticator app shares with us, encrypted. It counts for the login once it is confirmed."""

    clinician = models.OneToOneField(
        Clinician, primary_key=True, on_delete=models.CASCADE, related_name="one_time_secret"
    )
    sealed = models.BinaryField()
    made_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # The 30-second step of the newest code that was taken: neither it nor an earlier one is taken again.
    last_step = models.BigIntegerField(default=0)


class RecoveryCode(models.Model):
    """A code that works once, for when the phone with the app is gone. Only its SHA-256 is stored."""

    clinician = models.ForeignKey(Clinician, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinician", "digest"], name="recovery_code_once")]
