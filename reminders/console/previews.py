"""What a text becomes: its words for a sample patient, its price in parts, and what stands in its way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reminders.clinic.models import Clinic
from reminders.clinic.phones import format_phone
from reminders.content.selectors import clinic_values
from reminders.core.readability import ReadingLevel, reading_level
from reminders.core.rendering import TemplateError, compile_text, render
from reminders.core.segments import SegmentCount, count_segments, to_plain, ucs2_characters
from reminders.core.text_variables import VARIABLES, VariableKind
from reminders.core.texts import TEXTS, TextKey, advice_hazards, check_text, sample_values

OPTION_WORDS: Final[Mapping[str, str]] = {
    "is_first": "First text of the plan",
    "heat_ok": "Heat is fine for this patient",
    "technique": "Technique",
    "drug": "Medicine the screening allows",
    "deep": "deep",
    "superficial": "superficial",
    "electro": "electro",
    "none": "none",
    "acetaminophen": "acetaminophen only",
    "any": "any",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of the sample patient: a box to tick, or a list to choose from."""

    name: str
    label: str
    value: str | bool
    choices: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Problem:
    """What an author has to change, and where, when the place is known (both from 1)."""

    sentence: str
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """The place in words; empty where it is not known."""
        if self.line is None:
            return ""
        return f"Line {self.line}, character {self.column}" if self.column else f"Line {self.line}"


@dataclass(frozen=True, slots=True)
class Preview:
    """The text as one sample patient reads it. `parts` is None where it cannot be rendered."""

    body: str = ""
    parts: SegmentCount | None = None
    longest_parts: int = 0
    dear: list[str] = field(default_factory=list)
    pieces: list[tuple[str, bool]] = field(default_factory=list)
    problem: Problem | None = None
    hazards: list[str] = field(default_factory=list)
    level: ReadingLevel | None = None
    can_be_plain: bool = False


def options_for(text: TextKey, chosen: Mapping[str, str], *, was_sent: bool) -> list[Option]:
    """Return the choices that change this text. `was_sent` tells an unticked box from one nobody has seen yet."""
    options = []
    for name in ("is_first", "technique", "heat_ok", "drug"):
        if name not in text.variables:
            continue
        variable = VARIABLES[name]
        if variable.kind is VariableKind.FLAG:
            value: str | bool = name in chosen if was_sent else True
            options.append(Option(name, OPTION_WORDS[name], value, []))
        else:
            picked = chosen.get(name, "")
            value = picked if picked in variable.choices else variable.choices[-1 if name == "drug" else 0]
            choices = [(choice, OPTION_WORDS.get(choice, choice)) for choice in variable.choices]
            options.append(Option(name, OPTION_WORDS[name], value, choices))
    return options


def preview(*, clinic: Clinic, text: TextKey, language: str, source: str, options: list[Option]) -> Preview:
    """Render the words for the sample patient, with the clinic's own name, phone and links.

    A text that can be rendered may still hold a problem: what it has to say in every case. `hazards` are all the words
    on heat and medicine that somebody must not be told, whatever the sample patient.
    """
    try:
        compiled = compile_text(source)
        body = render(compiled, values=_values(clinic, language, options))
    except TemplateError as error:
        return Preview(problem=_problem(error))
    hazards = [hazard.message for hazard in advice_hazards(key=text.key, language=language, compiled=compiled)]
    problem = problem_of(text=text, language=language, source=source)
    return Preview(
        body=body,
        parts=count_segments(body),
        longest_parts=_longest(source, language),
        dear=sorted({char for _, char in ucs2_characters(body)}),
        pieces=_pieces(body),
        problem=None if problem and problem.sentence in hazards else problem,
        hazards=hazards,
        # The clinic's own name is as hard as it is, and no author can change it.
        level=reading_level(text=body.replace(clinic.name, "Clinic"), language=language),
        can_be_plain=to_plain(source) != source,
    )


def problem_of(*, text: TextKey, language: str, source: str) -> Problem | None:
    """Return what keeps the words from being published, or None."""
    try:
        check_text(key=text.key, language=language, source=source)
    except TemplateError as error:
        return _problem(error)
    return None


def text_of(key: str) -> TextKey | None:
    """Return the catalogue's entry, or None where there is no such text."""
    return TEXTS.get(key)


def palette(text: TextKey, language: str) -> list[tuple[str, str, str]]:
    """Return each name this text may use: how it is written, what it stands for, and an example."""
    rows = []
    for variable in (VARIABLES[name] for name in VARIABLES if name in text.variables):
        if variable.kind is VariableKind.WORDS:
            rows.append((f"{{{{ {variable.name} }}}}", variable.description, str(variable.examples[language])))
        elif variable.kind is VariableKind.FLAG:
            rows.append((f"{{% if {variable.name} %}}…{{% endif %}}", variable.description, "yes or no"))
        else:
            first = variable.choices[0]
            written = f'{{% if {variable.name} == "{first}" %}}…{{% endif %}}'
            rows.append((written, variable.description, ", ".join(variable.choices)))
    return rows


def _values(clinic: Clinic, language: str, options: list[Option]) -> dict[str, Any]:
    examples: dict[str, Any] = {name: variable.examples[language] for name, variable in VARIABLES.items()}
    own = clinic_values(clinic=clinic, language=language, formatted_phone=format_phone(clinic.phone))
    given = {name: value for name, value in own.items() if value}
    return {**examples, **given, **{option.name: option.value for option in options}}


def _longest(source: str, language: str) -> int:
    """Return the parts of the longest variant, with the examples of the catalogue."""
    compiled = compile_text(source)
    sizes = []
    for values in sample_values(compiled.variables, language=language):
        try:
            sizes.append(count_segments(render(compiled, values=values)).segments)
        except TemplateError:
            continue
    return max(sizes, default=0)


def _problem(error: TemplateError) -> Problem:
    return Problem(error.message, error.line, error.column)


def _pieces(body: str) -> list[tuple[str, bool]]:
    """Return the words in stretches, each with whether it forces the dear encoding."""
    dear = {index for index, _ in ucs2_characters(body)}
    pieces: list[tuple[str, bool]] = []
    for index, char in enumerate(body):
        if pieces and pieces[-1][1] == (index in dear):
            pieces[-1] = (pieces[-1][0] + char, pieces[-1][1])
        else:
            pieces.append((char, index in dear))
    return pieces
