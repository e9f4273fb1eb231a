"""Both nights on which clocks change: plans that lie across them, and the product's clock moved through."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from benchmarks.chaos import rows
from benchmarks.chaos.crowd import Wave
from benchmarks.chaos.field import Field, patiently
from reminders import clock
from reminders.messaging.models import Message
from reminders.messaging.tasks import plan_aftercare

# They change their clocks on the same night, each at its own two in the morning; Phoenix and Honolulu never do.
ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu")
ENDED = wall_time(17, 40)
PLANNED_SECONDS = 20.0
STEP_SECONDS = 10.0
LOOK_SECONDS = 0.05
# The last planned text of a session that ends on the eve is due within this.
NIGHT = timedelta(hours=44)


def spring(field: Field, name: str) -> None:
    """The night that lacks an hour."""
    _live_through(field, name, gains=timedelta(hours=1))


def autumn(field: Field, name: str) -> None:
    """The night that has an hour twice."""
    _live_through(field, name, gains=-timedelta(hours=1))


def next_change(*, after: datetime, gains: timedelta) -> date:
    """Return the eve of the next night in which New York's clock gains (or loses) this much."""
    zone = ZoneInfo(ZONES[0])
    noons = [datetime.combine(after.date() + timedelta(days=day), wall_time(12), tzinfo=zone) for day in range(2, 400)]
    for noon, next_noon in pairwise(noons):
        if (next_noon.utcoffset() or timedelta()) - (noon.utcoffset() or timedelta()) == gains:
            return noon.date()
    raise ValueError("The clocks do not change any more.")


def _live_through(field: Field, name: str, *, gains: timedelta) -> None:
    wave = field.open_bare_wave(name)
    eve = next_change(after=patiently(clock.now), gains=gains)
    moments = {zone: datetime.combine(eve, ENDED, tzinfo=ZoneInfo(zone)).astimezone(UTC) for zone in ZONES}
    for zone, ended_at in sorted(moments.items(), key=lambda pair: pair[1]):
        _go_on_to(field, ended_at)
        visits = field.crowd.visits(
            wave=wave, patients=field.plans_per_zone, zones=[zone] * field.plans_per_zone, now=patiently(clock.now),
            ended_at=ended_at, planned=False,
        )  # fmt: skip
        for visit, _phone in visits:
            plan_aftercare.delay(visit.pk)
        _wait_for_plans([visit.pk for visit, _phone in visits], wave)
    _go_on_to(field, max(moments.values()) + NIGHT)


def _wait_for_plans(visits: Sequence[int], wave: Wave) -> None:
    deadline = time.monotonic() + PLANNED_SECONDS
    found: list[Message] = []
    while len({text.treatment_session_id for text in found}) < len(visits) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        found = patiently(lambda: list(Message.objects.filter(treatment_session__in=visits)))
    wave.texts += found


def _go_on_to(field: Field, goal: datetime) -> None:
    """Move the clock from one due text to the next, and let each leave before it moves on."""
    while True:
        now = patiently(clock.now)
        due_at = patiently(partial(rows.next_due_at, now))
        to = min(goal, due_at) if due_at else goal
        if to > now:
            field.carrier.move_clock(to=to)
        deadline = time.monotonic() + STEP_SECONDS
        while patiently(lambda: rows.open_and_due(now=clock.now())) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        if to >= goal:
            return
