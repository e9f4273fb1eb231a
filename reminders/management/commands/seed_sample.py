"""`reminders manage seed_sample`: a sample clinic to try the product with, on the sandbox carrier only."""

import json
import os
import secrets
from argparse import ArgumentParser
from datetime import datetime, time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from reminders import clock
from reminders.clinic.models import Clinic, Clinician, LadderRung, Role
from reminders.clinic.services import create_api_key
from reminders.content.services import load_starters
from reminders.messaging.models import Sender

SLUG = "northside"
# Numbers with 555-01xx belong to nobody. Everybody here is invented.
SENDER = "+13125550100"
STAFF = (
    ("olivia", "Olivia", "Okafor", Role.OWNER, "+13125550111"),
    ("theo", "Theo", "Tran", Role.THERAPIST, "+13125550112"),
    ("fran", "Fran", "Fields", Role.FRONT_DESK, "+13125550113"),
    ("vic", "Vic", "Vale", Role.VIEWER, ""),
)
# Texts first, then a call, then the next person; three minutes each.
LADDER = (("theo", "sms"), ("theo", "voice"), ("olivia", "sms"), ("olivia", "voice"))
HOURS = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")} | {"sat": ["09:00", "13:00"]}
WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbor",
    "indigo",
    "juniper",
    "lagoon",
    "maple",
)


class Command(BaseCommand):
    """Make the sample clinic once, and say how to log in, every time."""

    help = "Make a sample clinic with staff, ladder, texts and protocol (sandbox carrier only), and print its logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the logins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REMINDERS_SANDBOX:
            raise CommandError("The sample clinic is made on the sandbox carrier only; set up a real clinic instead.")
        logins = self._kept_logins()
        now = clock.now()
        with transaction.atomic():
            clinic, created = Clinic.objects.get_or_create(slug=SLUG, defaults=_clinic_fields())
            if created:
                logins = self._fill(clinic, now)
            load_starters(clinic=clinic, now=now)
        if options["json"]:
            self.stdout.write(json.dumps(logins))
            return
        self.stdout.write("  Log in as (sample clinic, this machine only):")
        for username, _first, _last, role, _phone in STAFF:
            self.stdout.write(f"    {username:<8} {logins['password']}   ({Role(role).label.lower()})")
        self.stdout.write(f"  API key   {logins['api_key']}")

    def _fill(self, clinic: Clinic, now: datetime) -> dict[str, str]:
        password = "-".join(secrets.choice(WORDS) for _ in range(3)) + f"-{secrets.randbelow(9000) + 1000}"
        people = {
            username: Clinician.objects.create_user(
                username,
                "",
                password,
                clinic=clinic,
                first_name=first,
                last_name=last,
                role=role,
                phone=phone,
                external_id=username,
            )
            for username, first, last, role, phone in STAFF
        }
        for position, (username, channel) in enumerate(LADDER, start=1):
            LadderRung.objects.create(
                clinic=clinic, position=position, clinician=people[username], channel=channel, wait_minutes=3
            )
        Sender.objects.create(clinic=clinic, number=SENDER, parts_per_second=50)
        _key, plain_key = create_api_key(clinic=clinic, label="Sample", now=now)
        logins = {"password": password, "api_key": plain_key}
        path = self._path()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(logins, file)
        return logins

    @staticmethod
    def _path() -> Path:
        return Path(settings.CONFIG.data_dir) / "sample-logins.json"

    def _kept_logins(self) -> dict[str, str]:
        path = self._path()
        if not path.exists():
            return {"password": "(set when the clinic was made)", "api_key": "(shown when the clinic was made)"}
        kept: dict[str, str] = json.loads(path.read_text("utf-8"))
        return kept


def _clinic_fields() -> dict[str, Any]:
    return {
        "name": "Northside Physio",
        "phone": "+13125550142",
        "booking_url": "https://northside.example/book",
        "timezone": "America/Chicago",
        "opening_hours": HOURS,
        "reply_hours": "weekdays 8 am to 6 pm",
        "reply_hours_es": "de lunes a viernes de 8 am a 6 pm",
        "quiet_start": time(20),
        "quiet_end": time(9),
    }
