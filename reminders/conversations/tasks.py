"""Thin Celery tasks of the think queue."""

from celery import shared_task

from reminders import clock
from reminders.conversations.inbound import read_phone


@shared_task
def read_texts(inbound_id: int) -> int:
    """Read what is unread of the phone that wrote this text, in order."""
    return read_phone(inbound_id=inbound_id, now=clock.now())
