"""What the WSGI server loads: `gunicorn reminders.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")

application = get_wsgi_application()
