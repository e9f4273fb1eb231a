"""What a story can see and do: everything through the product's own doors, the carrier's record, and the rows."""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import QuerySet

from reminders import clock
from reminders.clinic.models import Patient
from reminders.content.models import TemplateVersion
from reminders.core.states import REACHED_CARRIER
from reminders.escalations.models import Escalation
from reminders.management.demo.cast import CAST, CLINIC_NUMBER, Person
from reminders.management.demo.narrator import Narrator
from reminders.management.demo.website import Browser
from reminders.management.rehearsal.carrier import CarrierControl, Record, message_id
from reminders.management.rehearsal.house import House
from reminders.messaging.models import Kind, Message

# A machine that has other things to do takes its time; nobody waits longer for that where all is well.
PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.02
# The carrier samples the product's clock; its dates may be off by the time that takes.
CLOCK_TOLERANCE = timedelta(seconds=1)
Found = TypeVar("Found")


class StoryError(Exception):
    """Something that the story cannot go on without did not happen. The message is a sentence."""


class Stage:
    """The running product, and everybody who is watched."""

    def __init__(self, *, house: House, narrator: Narrator, begins_at: datetime) -> None:
        self.house = house
        self.narrator = narrator
        self.begins_at = begins_at
        self.base_url = house.plan.base_url
        self.carrier = CarrierControl(house.plan.sandbox_url)
        self.check = narrator.check
        self._browsers: dict[str, Browser] = {}
        # What the carrier has processed, by the id that its status callback carries, and calls by sid.
        self._created: defaultdict[str, list[Record]] = defaultdict(list)
        self._received: dict[str, Record] = {}
        self.calls: dict[str, Record] = {}

    def browser(self, person: Person) -> Browser:
        """Return the browser of a member of staff; each has one and stays logged in."""
        username = next(name for name, one in CAST.staff.items() if one is person)
        if username not in self._browsers:
            self._browsers[username] = Browser(base_url=self.base_url, username=username, password=self.house.password)
        return self._browsers[username]

    def tell(self, person: Person, words: str, *, quoted: str = "") -> None:
        """Say what happens to somebody now."""
        self.narrator.tell(person, clock.now(), words, quoted=quoted)

    def write(self, person: Person, body: str) -> Record:
        """Send a text from somebody's phone to the clinic; return the carrier's record of it."""
        sid = self.carrier.text(sender=person.phone, to=CLINIC_NUMBER, body=body)
        return self.wait_for(lambda: self._received.get(sid), what=f"the carrier has {person.first_name}’s text")

    def watch(self, *, wait_seconds: float = 0) -> None:
        """Take in what the carrier has done since, and tell what happened on the phones of the cast."""
        for event in self.carrier.new_events(wait_seconds=wait_seconds):
            match event["kind"]:
                case "message.created":
                    self._take_in_text(event["message"])
                case "message.received":
                    self._received[event["message"]["sid"]] = event["message"]
                    self._tell_phone(event["message"], event["message"]["from"], "writes")
                case "call.created":
                    self.calls[event["call"]["sid"]] = event["call"]
                    self._tell_phone(event["call"], event["call"]["to"], "’s phone rings")

    def _take_in_text(self, record: Record) -> None:
        self._created[message_id(record["status_callback"])].append(record)
        self._tell_phone(record, record["to"], "gets")

    def _tell_phone(self, record: Record, phone: str, verb: str) -> None:
        person = CAST.by_phone(phone)
        if person is not None:
            words = f"{person.first_name}{'' if verb.startswith('’') else ' '}{verb}"
            at = datetime.fromisoformat(record["created_at"])
            self.narrator.tell(person, at, words, quoted=" ".join(record.get("body", "").split()))

    def processed(self, message: Message) -> list[Record]:
        """Return every create of this row that the carrier has processed."""
        return self._created[str(message.public_id)]

    def received(self, person: Person, key: str, *, seconds: float = PATIENCE_SECONDS) -> Record:
        """Wait until the carrier has processed the newest text `key` for somebody, and return its record."""

        def found() -> Record | None:
            row = self.texts(person, key).last()
            records = self.processed(row) if row else []
            return records[-1] if records else None

        return self.wait_for(found, what=f"{person.first_name} gets the text “{key}”", seconds=seconds)

    def texts(self, person: Person, *keys: str) -> QuerySet[Message]:
        """Return the rows of what was or will be sent to somebody, of these texts if any are named, in order."""
        rows = Message.objects.filter(to_number=person.phone).order_by("id")
        if keys:
            rows = rows.filter(template_version__in=TemplateVersion.objects.filter(template__key__in=keys))
        return rows

    def patient(self, person: Person) -> Patient:
        """Return somebody's row."""
        return Patient.objects.get(phones__number=person.phone)

    def case(self, person: Person, reason: str) -> Escalation:
        """Wait for the newest case about somebody with this reason."""

        def found() -> Escalation | None:
            cases = Escalation.objects.filter(patient__phones__number=person.phone, reason=reason)
            return cases.select_related("owner", "patient").order_by("-id").first()

        return self.wait_for(found, what=f"a case about {person.first_name} is open")

    def wait_for(self, found: Callable[[], Found | None], *, what: str, seconds: float = PATIENCE_SECONDS) -> Found:
        """Return what `found` finds as soon as it finds something; the carrier's next event makes it look again.

        Raises `StoryError` where it finds nothing within the time.
        """
        deadline = time.monotonic() + seconds
        while True:
            self.watch()
            result = found()
            if result:
                return result
            if time.monotonic() > deadline:
                raise StoryError(f"This did not happen within {seconds:g} seconds: {what}.")
            self.watch(wait_seconds=LOOK_AGAIN_SECONDS)


def unopened_questions() -> QuerySet[Message]:
    """Return questions that have left and that the sweep has not opened a check-in for yet."""
    return Message.objects.filter(
        kind__in=[Kind.CHECK_IN, Kind.RECHECK], state__in=list(REACHED_CARRIER), check_in__isnull=True
    )
