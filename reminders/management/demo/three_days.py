"""The programme: the file, the six stories side by side, and the promises at the end."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist

from reminders import clock
from reminders.management.demo.director import Director
from reminders.management.demo.intake import import_example
from reminders.management.demo.narrator import Narrator
from reminders.management.demo.promises import check_promises
from reminders.management.demo.stage import Stage, StoryError
from reminders.management.demo.stories.breathless import breathless
from reminders.management.demo.stories.fine import fine
from reminders.management.demo.stories.silent import silent
from reminders.management.demo.stories.sore import sore
from reminders.management.demo.stories.spanish import spanish
from reminders.management.demo.stories.stopped import stopped
from reminders.management.rehearsal.house import House
from reminders.messaging.models import Sender

STORIES = (sore, fine, breathless, stopped, silent, spanish)
# Three days in a minute: a number that carries one part a second would keep everybody waiting.
PARTS_PER_SECOND = 1000.0
SENT_AFTER_SECONDS, DELIVERED_AFTER_SECONDS = 0.05, 0.1


def three_days(*, house: House, narrator: Narrator, begin: Callable[[datetime], datetime], lasts: timedelta) -> None:
    """Tell everything. What does not hold is remembered by the narrator; what stops the story is told and ends it."""
    begins_at = begin(clock.now())
    stage = Stage(house=house, narrator=narrator, begins_at=begins_at)
    stage.carrier.change_settings(sent_after=SENT_AFTER_SECONDS, delivered_after=DELIVERED_AFTER_SECONDS)
    Sender.objects.update(parts_per_second=PARTS_PER_SECOND)
    stage.carrier.move_clock(to=begins_at)
    try:
        narrator.title("The clinic")
        import_example(stage)
        director = Director(stage)
        director.play(STORIES)
        director.travel(to=begins_at + lasts)
        narrator.title("What was promised")
        check_promises(stage)
    except (StoryError, ValueError, ObjectDoesNotExist) as error:
        narrator.check(f"the story stops here: {house.why(error)}", False)
