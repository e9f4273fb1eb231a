"""What a worker has ready before its first task."""

from types import SimpleNamespace

import pytest
from celery import Celery
from celery.signals import celeryd_after_setup

import reminders.celery
from reminders.core.understanding.lexicon import load_lexicon
from reminders.core.understanding.suspicion import load_weights


@pytest.mark.parametrize(("queues", "loaded"), [("think,tidy", 1), ("send", 0)])
def test_who_reads_replies_knows_the_words_before_the_first_text_comes(queues: str, loaded: int) -> None:
    assert reminders.celery.app.main == "reminders"
    load_lexicon.cache_clear()
    load_weights.cache_clear()
    app = Celery("trial", broker="memory://", set_as_current=False, fixups=[])
    app.select_queues(queues.split(","))

    celeryd_after_setup.send(sender="trial@here", instance=SimpleNamespace(app=app), conf=app.conf)

    assert load_lexicon.cache_info().currsize == load_weights.cache_info().currsize == loaded
