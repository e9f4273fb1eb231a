"""The forms of the console: what is asked, how it is named, and how problems reach their fields."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from reminders.escalations.models import Escalation


class Labelled(forms.Form):
    """A form whose labels carry no colon, as the pages write them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def problems(self) -> list[tuple[str, str]]:
        """Return each error with the id of the element it belongs to, in the order of the fields."""
        found = [
            (_first_id(bound), f"{bound.label}: {sentence}" if bound.label else str(sentence))
            for bound in self
            for sentence in bound.errors
        ]
        return [*(("main", str(sentence)) for sentence in self.non_field_errors()), *found]


def _first_id(bound: BoundField) -> str:
    """Return the id of what a link to this field should focus: its input, or the first of a group of them."""
    return bound.id_for_label or f"{bound.auto_id}_0"


class ResolveForm(Labelled):
    """How a case ended."""

    outcome = forms.ChoiceField(
        label="How did it end?",
        choices=Escalation.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it ended."},
    )
    note = forms.CharField(
        label="Note for colleagues",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was said and agreed.",
    )


class EditorForm(Labelled):
    """The words of one text."""

    body = forms.CharField(
        label="Text",
        max_length=4000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "true", "class": "source"}),
        error_messages={"required": "Write the text; there is nothing to send."},
    )


def choices_with_blank(choices: Iterable[tuple[str, str]], blank: str) -> list[tuple[str, str]]:
    """Return the choices after an empty one with its own words."""
    return [("", blank), *choices]
