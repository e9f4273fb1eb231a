"""`docs/sandbox.md` names everything that can be asked of the sandbox."""

from dataclasses import fields
from pathlib import Path

import pytest

from reminders.sandbox import call_control, control
from reminders.sandbox.control import CALL_OUTCOMES
from reminders.sandbox.faults import EFFECTS
from reminders.sandbox.progress import OUTCOMES
from reminders.sandbox.settings import Behaviour

PAGE = (Path(__file__).parents[2] / "docs/sandbox.md").read_text()
NAMES = [
    *(f"{method} {path}" for method, path, _ in (*control.ROUTES, *call_control.ROUTES)),
    *call_control.ACTIONS,
    *EFFECTS,
    *OUTCOMES,
    *CALL_OUTCOMES,
    *(field.name for field in fields(Behaviour)),
]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in PAGE
