"""What the WSGI server loads: `gunicorn reminders.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from reminders.core.understanding import read

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")

application = get_wsgi_application()

# Both are made on first use, which takes half a second of a free processor, and the first text that a fresh process
# gets may be the one that has to be answered within a second.
get_resolver().url_patterns  # noqa: B018 asking is what builds them
read("ready")
