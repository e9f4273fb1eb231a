"""`reminders worker`: one group of Celery workers, wherever it runs."""

import os

import click

from reminders.management.become import become

PREFORK, THREADS = "prefork", "threads"
# How many emergencies may hang at the carrier before the next one waits. A thread and its database connection come
# about when they are first needed, so a quiet worker has one of each.
URGENT_THREADS = 16
PROCESSES = 2
# Reading and tidying take whole processors; on a small machine the carrier's requests and due texts go first.
PATIENT_QUEUES = frozenset({"think", "tidy"})
PATIENCE = 10


@click.command()
@click.option("--queues", default="urgent,send,think,tidy", show_default=True, help="Queues, separated by commas.")
@click.option("--pool", type=click.Choice([PREFORK, THREADS]), help="Default: threads for `urgent` alone.")
@click.option("--concurrency", type=int, help=f"Tasks at once. Default: {PROCESSES}, with threads {URGENT_THREADS}.")
@click.option("--name", default="worker@%h", show_default=True, help="Unique name; %h is the host's name.")
def worker(queues: str, pool: str | None, concurrency: int | None, name: str) -> None:
    """Do the work that rows ask for: send, read replies, tidy."""
    # Emergencies are few and wait for the carrier alone, so threads of one process do: many at once for the memory of
    # one. Nothing ends a thread that hangs, and here nothing has to: a create ends by itself. Everything else takes the
    # processor too, or has to be stopped at its time limit: that takes processes.
    pool = pool or (THREADS if queues == "urgent" else PREFORK)
    concurrency = concurrency or (URGENT_THREADS if pool == THREADS else PROCESSES)
    # Workers need no word from each other: gossip and mingling only cost start-up time and broker traffic.
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    size = ["--pool", pool, "--concurrency", str(concurrency)]
    if PATIENT_QUEUES.issuperset(queues.split(",")):
        os.nice(PATIENCE)
    become("celery", "--quiet", "-A", "reminders.celery", "worker", "-Q", queues, "-n", name, *size, *quiet)
