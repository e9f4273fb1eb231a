"""What an author of a protocol is told to look at twice."""

from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from reminders.core.protocol_cautions import cautions, night_of
from reminders.core.protocols import Condition, ProtocolDefinition, parse_protocol
from reminders.core.quiet_hours import QuietWindow
from reminders.core.schedule import WhenQuiet

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = parse_protocol((ROOT / "templates" / "protocols" / "dry-needling.toml").read_text("utf-8"))
QUIET = QuietWindow(time(20), time(9))
CHECK_IN = 3


def with_step(at: int, **changed: object) -> ProtocolDefinition:
    """The default protocol with one step changed."""
    steps = list(DEFAULT.steps)
    steps[at] = replace(steps[at], **changed)  # type: ignore[arg-type]
    return replace(DEFAULT, steps=tuple(steps))


def test_the_default_protocol_gives_no_cause() -> None:
    assert cautions(definition=DEFAULT, quiet=QUIET) == []


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        (replace(DEFAULT, steps=DEFAULT.steps[:3]), "there is no check-in"),
        (with_step(CHECK_IN, condition=Condition(techniques=("deep",))), "every check-in is for some patients alone"),
        (with_step(CHECK_IN, expires_minutes=13 * 60), "Step 4 asks, and can be lost in the night"),
        (with_step(CHECK_IN, when_quiet=WhenQuiet.SKIP), "Step 4 asks, and is left out"),
        (with_step(4, offset_minutes=1440), "Step 5 reminds after the question has closed"),
    ],
)
def test_each_caution_names_its_step(definition: ProtocolDefinition, sentence: str) -> None:
    (found,) = cautions(definition=definition, quiet=QUIET)

    assert sentence in found


def test_the_length_of_a_night_is_that_of_the_clock() -> None:
    assert night_of(QUIET).total_seconds() == 13 * 3600
    assert night_of(QuietWindow(time(21, 30), time(8))).total_seconds() == 10.5 * 3600


def test_a_shorter_night_needs_less() -> None:
    definition = with_step(CHECK_IN, expires_minutes=13 * 60)

    assert cautions(definition=definition, quiet=QuietWindow(time(21), time(8))) == []
