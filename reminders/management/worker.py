"""`reminders worker`: one group of Celery workers, wherever it runs."""

import click

from reminders.management.become import become


@click.command()
@click.option("--queues", default="send,think,tidy", show_default=True, help="Queues to serve, separated by commas.")
@click.option("--concurrency", default=2, show_default=True, help="Processes in this group.")
@click.option("--name", default="worker@%h", show_default=True, help="Unique name; %h is the host's name.")
def worker(queues: str, concurrency: int, name: str) -> None:
    """Do the work that rows ask for: send, read replies, tidy."""
    # Workers need no word from each other: gossip and mingling only cost start-up time and broker traffic.
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    size = ["--pool", "prefork", "--concurrency", str(concurrency)]
    become("celery", "--quiet", "-A", "reminders.celery", "worker", "-Q", queues, "-n", name, *size, *quiet)
