"""`reminders staff-link`: a way in for staff where no owner can make one."""

import sys

import click

from reminders.management.django_setup import set_up_django


@click.command("staff-link")
@click.argument("username")
@click.option("--end-codes", is_flag=True, help="End one-time codes too: the phone and the recovery codes are lost.")
def staff_link(username: str, end_codes: bool) -> None:
    """Make a link with which USERNAME sets a new password, once, within a day; on record."""
    set_up_django()
    from django.conf import settings
    from django.urls import reverse

    from reminders import clock
    from reminders.clinic.models import Clinician
    from reminders.clinic.one_time_codes import turn_off
    from reminders.clinic.staff import make_password_link

    found = Clinician.objects.select_related("clinic").filter(username=username, is_active=True).first()
    if found is None:
        click.echo("Nobody with this user name has an account that is switched on.", err=True)
        sys.exit(2)
    now = clock.now()
    if end_codes:
        turn_off(clinician=found, by=None, now=now)
    _link, plain = make_password_link(clinician=found, by=None, now=now)
    click.echo(settings.PUBLIC_BASE_URL.rstrip("/") + reverse("staff_link", args=[plain]))
    click.echo("Give it to them alone: it works once, until this time tomorrow, and cannot be shown again.", err=True)
