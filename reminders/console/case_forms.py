"""The small forms of a case: tell the patient who calls, put it aside, hand it over."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms

from reminders.clinic.models import Clinic, Clinician
from reminders.clinic.selectors import next_opening
from reminders.console.access import ROLES, May
from reminders.console.forms import Labelled
from reminders.core.quiet_hours import first_instant
from reminders.escalations.keeping import LONGEST_SNOOZE
from reminders.escalations.patient_texts import CallPromise

WITHIN: Final = ((15, "15 minutes"), (30, "30 minutes"), (60, "an hour"), (120, "2 hours"), (240, "4 hours"))
USUALLY_WITHIN: Final = 30
FIVE_MINUTES: Final = timedelta(minutes=5)
# What a datetime-local field takes and gives.
WALL: Final = "%Y-%m-%dT%H:%M"


def colleagues(*, clinic: Clinic) -> list[Clinician]:
    """Return the staff of the clinic who may handle cases, in the order of their names."""
    rows = Clinician.objects.filter(clinic=clinic, is_active=True, role__in=sorted(ROLES[May.HANDLE_ESCALATIONS]))
    return list(rows.order_by("first_name", "last_name", "username", "id"))


class PromiseForm(Labelled):
    """Whether to tell the patient who will call and by when."""

    tell = forms.BooleanField(label="Tell the patient who will call, and by when", required=False)
    caller = forms.TypedChoiceField(label="Who calls", coerce=int, required=False, empty_value=None)
    within = forms.TypedChoiceField(
        label="Within", coerce=int, choices=WITHIN, required=False, empty_value=None, initial=USUALLY_WITHIN
    )

    def __init__(self, *args: Any, staff: Iterable[Clinician], me: Clinician, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="promise_%s", **kwargs)
        self._staff = {one.pk: one for one in staff}
        self._me = me
        self.fields["caller"].choices = [(pk, _name(one, me)) for pk, one in self._staff.items()]  # type: ignore[attr-defined]
        self.fields["caller"].initial = me.pk

    def promise(self, now: datetime) -> CallPromise:
        """Return who calls and by when: the hour is a full five minutes, never sooner than was chosen."""
        caller = self._staff.get(self.cleaned_data["caller"] or self._me.pk, self._me)
        by = now + timedelta(minutes=self.cleaned_data["within"] or USUALLY_WITHIN)
        past = timedelta(minutes=by.minute % 5, seconds=by.second, microseconds=by.microsecond)
        return CallPromise(caller=caller, by=by - past + FIVE_MINUTES if past else by)


class SnoozeForm(Labelled):
    """Until when a case is put aside."""

    when = forms.ChoiceField(
        label="Until when?",
        widget=forms.RadioSelect,
        initial="opening",
        error_messages={"required": "Choose until when."},
    )
    until = forms.CharField(label="Day and hour", required=False)

    def __init__(self, *args: Any, clinic: Clinic, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="snooze_%s", **kwargs)
        self._zone = ZoneInfo(clinic.timezone)
        self._now = now
        tomorrow = datetime.combine((now.astimezone(self._zone) + timedelta(days=1)).date(), datetime.min.time())
        opening = next_opening(clinic=clinic, at=tomorrow.replace(tzinfo=self._zone))
        self._moments = {"hour": now + timedelta(hours=1), "three_hours": now + timedelta(hours=3), "opening": opening}
        names = {"hour": "An hour", "three_hours": "Three hours", "opening": self._opening_name(opening)}
        chosen = [(key, names[key]) for key, at in self._moments.items() if at is not None]
        self.fields["when"].choices = [*chosen, ("chosen", "The day and hour below")]  # type: ignore[attr-defined]
        self.fields["until"].widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "min": self._wall(now), "max": self._wall(now + LONGEST_SNOOZE)}
        )
        self.fields["until"].help_text = f"Within the next 14 days, in the clinic’s time ({clinic.timezone})."

    def _wall(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime(WALL)

    def _opening_name(self, opening: datetime | None) -> str:
        if opening is None:
            return ""
        local = opening.astimezone(self._zone)
        tomorrow = (self._now.astimezone(self._zone) + timedelta(days=1)).date()
        day = "Tomorrow" if local.date() == tomorrow else local.strftime("%A")
        return f"{day}, when the clinic opens ({local.strftime('%-I:%M %p')})"

    def clean(self) -> dict[str, Any]:
        """Work out the moment and keep it as `at`."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("when") != "chosen":
            data["at"] = self._moments.get(data.get("when", ""))
            return data
        try:
            wall = datetime.strptime(data.get("until", "")[:16], WALL)  # noqa: DTZ007  # a wall clock: its zone is the clinic's
        except ValueError:
            self.add_error("until", "Give the day and the hour.")
            return data
        at = first_instant(day=wall.date(), wall=wall.time(), zone=self._zone)
        if not self._now < at <= self._now + LONGEST_SNOOZE:
            self.add_error("until", "Choose a time to come, within the next 14 days.")
        data["at"] = at
        return data


class HandOverForm(Labelled):
    """Which colleague gets the case."""

    to = forms.TypedChoiceField(
        label="Colleague",
        coerce=int,
        error_messages={"required": "Choose a colleague.", "invalid_choice": "Choose one of these colleagues."},
    )

    def __init__(
        self, *args: Any, staff: Iterable[Clinician], me: Clinician, owner_id: int | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, auto_id="hand_%s", **kwargs)
        self._staff = {one.pk: one for one in staff if one.pk != owner_id}
        names = [(pk, _name(one, me)) for pk, one in self._staff.items()]
        self.fields["to"].choices = [("", "Choose"), *names]  # type: ignore[attr-defined]
        self.has_anybody = bool(names)

    def colleague(self) -> Clinician:
        """Return who was chosen."""
        return self._staff[self.cleaned_data["to"]]


def _name(one: Clinician, me: Clinician) -> str:
    return f"{one.display_name} (you)" if one.pk == me.pk else one.display_name
