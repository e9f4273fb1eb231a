"""The commands that need neither database nor broker: JSON lines in, JSON lines out."""

import click

from reminders.core.understanding import read
from reminders.management.json_lines import run_json_lines


@click.command()
def understand() -> None:
    """Read patient replies: {"id", "text"} in, {"id", "intent", "score", "flags", "because", "sure"} out."""
    run_json_lines(_understand)


def _understand(line: dict[str, object]) -> dict[str, object]:
    text = line["text"]
    if not isinstance(text, str):
        raise TypeError("text must be a string")
    reading = read(text)
    return {
        "id": line.get("id"),
        "intent": reading.intent.value,
        "score": reading.score,
        "flags": sorted(flag.value for flag in reading.flags),
        "because": [
            {"rule": because.rule, "text": because.text, "start": because.start, "end": because.end}
            for because in reading.because
        ],
        "sure": reading.sure,
    }
