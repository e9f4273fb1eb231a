"""`reminders web`: the web process, wherever it runs."""

import click

from reminders.management.become import become


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--processes", default=2, show_default=True, help="Web processes.")
@click.option("--threads", default=16, show_default=True, help="Requests at once in each.")
def web(host: str, port: int, processes: int, threads: int) -> None:
    """Serve console, API and webhooks."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # Threads: requests wait for the database, not for the processor, and status callbacks share a commit with those
    # that come at the same time. Loaded once and then forked: less memory, and half the work of a start.
    kind = ["--worker-class", "gthread", "--workers", str(processes), "--threads", str(threads), "--preload"]
    # Kept-alive connections outlive those of the usual proxies (60 s), which would else meet a closing one.
    times = ["--timeout", "30", "--graceful-timeout", "2", "--keep-alive", "75"]
    # Access lines are left to the proxy in front; a control socket would be a second way in.
    logs = ["--config", "python:reminders.management.gunicorn_settings"]
    become("gunicorn", "reminders.wsgi", "--bind", address, *kind, *times, "--no-control-socket", *logs)
