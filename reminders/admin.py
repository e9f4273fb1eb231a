"""Django's administration pages, for support: clinics, staff, senders and the ladder. No words of patients."""

from django.contrib import admin

from reminders.clinic.models import Clinic, Clinician, LadderRung
from reminders.console.sign_in import SupportSignInForm
from reminders.messaging.models import Sender

admin.site.login_form = SupportSignInForm


class LadderRungInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    """The on-call ladder, on the clinic's page."""

    model = LadderRung
    extra = 0


class SenderInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    """The numbers a clinic texts from, on its page."""

    model = Sender
    extra = 0
    fields = ["number", "parts_per_second", "paused_reason", "paused_until"]


@admin.register(Clinic)
class ClinicAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Clinics, with ladder and senders."""

    list_display = ["slug", "timezone", "is_paused"]
    inlines = [LadderRungInline, SenderInline]


@admin.register(Clinician)
class ClinicianAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Staff accounts."""

    list_display = ["username", "clinic", "role", "is_active"]
    list_filter = ["role", "is_active"]
    exclude = ["password", "groups", "user_permissions"]
