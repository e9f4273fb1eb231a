"""The commands that need neither database nor broker: JSON lines in, JSON lines out."""

import click

from reminders.core.segments import count_segments
from reminders.core.understanding import read
from reminders.management.json_lines import run_json_lines
from reminders.management.timeline import answer_timeline


@click.command()
def understand() -> None:
    """Read patient replies: {"id", "text"} in, {"id", "intent", "score", "flags", "because", "sure"} out."""
    run_json_lines(_understand)


@click.command()
def segments() -> None:
    """Count the parts of texts: {"text"} in, {"encoding", "segments"} out."""
    run_json_lines(_segments)


@click.command()
def timeline() -> None:
    """Lay out plans: {"ended_at", "timezone", "quiet_start", "quiet_end", "steps"} in, {"messages"} out."""
    run_json_lines(answer_timeline)


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


def _segments(line: dict[str, object]) -> dict[str, object]:
    text = line.get("text")
    if not isinstance(text, str):
        raise ValueError("Give text as a string.")  # noqa: TRY004 one kind of error for missing and wrong
    count = count_segments(text)
    answered: dict[str, object] = {"encoding": count.encoding.value, "segments": count.segments}
    return {"id": line["id"], **answered} if "id" in line else answered
