"""`reminders doctor`: what is wrong, in plain sentences, and what to do about it."""

import json
from dataclasses import asdict

import click

from reminders.management.doctor_checks import examine, missing_processes


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For a script: one JSON object.")
@click.option(
    "--process",
    type=click.Choice(["scheduler", "worker"]),
    help="Ask only whether this process of this host is at work, as a health check does.",
)
@click.pass_context
def doctor(context: click.Context, as_json: bool, process: str | None) -> None:
    """Look at everything and say what is wrong. Ends with 0 where all is well, 1 where something needs a person."""
    findings = missing_processes(process) if process else examine()
    if as_json:
        click.echo(json.dumps({"ok": not findings, "findings": [asdict(finding) for finding in findings]}))
    elif not findings:
        click.echo(f"The {process} is at work." if process else "All is well.")
    for finding in findings if not as_json else ():
        click.echo(f"{finding.level.upper()}: {finding.sentence}\n    {finding.advice}")
    context.exit(1 if findings else 0)
