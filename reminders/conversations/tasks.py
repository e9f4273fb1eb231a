"""Thin Celery tasks: reading is for the think queue; fetching is for the tidy one, where a slow server may hang."""

from celery import shared_task

from reminders import clock
from reminders.conversations.inbound import read_phone
from reminders.conversations.pictures import look_after_picture
from reminders.delivery.registry import media_store


@shared_task
def read_texts(inbound_id: int) -> int:
    """Read what is unread of the phone that wrote this text, in order."""
    return read_phone(inbound_id=inbound_id, now=clock.now())


@shared_task
def fetch_picture(picture_id: int) -> None:
    """Fetch one picture and keep it, and delete the carrier's copy; what fails is tried again later."""
    look_after_picture(picture_id=picture_id, store=media_store(), now=clock.now())
