"""What a first search for "send a text later with Celery" leads to: a task with an ETA, the plain client, and retries.

All settings are Celery's and Twilio's own defaults, but for the retries that every tutorial adds. Opt-outs are looked
up right before the text leaves; here each is a file, elsewhere it is a row.
"""

import os
from pathlib import Path

from celery import Celery
from twilio.rest import Client

STOPPED = Path(os.environ.get("NAIVE_STOPPED", "."))

app = Celery("naive", broker=os.environ.get("NAIVE_BROKER_URL", ""))


@app.task(autoretry_for=(Exception,), retry_backoff=True)
def send_text(number: str, sender: str, body: str, callback: str) -> None:
    """Text somebody, unless they have asked to stop."""
    if (STOPPED / number).exists():
        return
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    client.api.base_url = os.environ["TWILIO_API_BASE_URL"]
    client.messages.create(to=number, from_=sender, body=body, status_callback=callback)
