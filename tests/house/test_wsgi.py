"""What the web server loads."""

import importlib

from reminders.core.understanding.lexicon import load_lexicon
from reminders.core.understanding.suspicion import load_weights


def test_a_fresh_web_process_has_its_words_ready_before_the_first_text_comes() -> None:
    load_lexicon.cache_clear()
    load_weights.cache_clear()
    wsgi = importlib.import_module("reminders.wsgi")
    importlib.reload(wsgi)
    assert load_lexicon.cache_info().currsize == load_weights.cache_info().currsize == 1
