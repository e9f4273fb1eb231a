"""What the WSGI server loads: `gunicorn reminders.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from reminders.core.understanding import read

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")

_django = get_wsgi_application()

# Both are made on first use, which takes half a second of a free processor, and the first text that a fresh process
# gets may be the one that has to be answered within a second.
get_resolver().url_patterns  # noqa: B018 asking is what builds them
read("ready")

# Only now: it imports models, and these need Django to be set up.
from reminders.webhooks.front import status_in_front  # noqa: E402

application = status_in_front(_django)
