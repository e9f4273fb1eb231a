"""The closed list of names a text may use. `docs/texts.md` shows it to authors; a test keeps the two the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LANGUAGES = ("en", "es")


class VariableKind(StrEnum):
    """How a name may be used in a text."""

    WORDS = "words"  # printed; as a condition it is true when it is not empty
    CHOICE = "choice"  # one of a few codes: compared, never printed
    FLAG = "flag"  # true or false: asked with `if`, never printed


@dataclass(frozen=True, slots=True)
class Variable:
    """One name: what it stands for, and a value per language that previews and tests can show.

    `may_be_empty` tells authors to ask `{% if name %}` before they print it.
    """

    name: str
    kind: VariableKind
    description: str
    examples: Mapping[str, str | bool]
    choices: tuple[str, ...] = ()
    may_be_empty: bool = False


def _words(name: str, description: str, en: str, es: str | None = None, *, may_be_empty: bool = False) -> Variable:
    examples = MappingProxyType({"en": en, "es": en if es is None else es})
    return Variable(name, VariableKind.WORDS, description, examples, may_be_empty=may_be_empty)


def _choice(name: str, description: str, choices: tuple[str, ...]) -> Variable:
    return Variable(name, VariableKind.CHOICE, description, dict.fromkeys(LANGUAGES, choices[0]), choices)


def _flag(name: str, description: str, example: bool) -> Variable:
    return Variable(name, VariableKind.FLAG, description, dict.fromkeys(LANGUAGES, example))


_ALL = (
    _words("clinic_name", "The clinic's name as patients know it.", "Northside Physio & Rehab"),
    _words("clinic_phone", "The clinic's phone, written for people to dial.", "(312) 555-0142"),
    _words(
        "first_name",
        "The patient's first name. A name beside health words is protected health information, so the starter texts"
        " leave it out.",
        "Dana",
        may_be_empty=True,
    ),
    _words(
        "clinician_title",
        "Who treats the patient, without a name, in the middle of a sentence.",
        "your PT",
        "su fisioterapeuta",
    ),
    _words(
        "booking_url",
        "The clinic's page for appointments.",
        "https://northside.example/book",
        may_be_empty=True,
    ),
    _words(
        "reply_hours",
        "When a person reads replies, in words that can follow a verb.",
        "weekdays 8 am to 6 pm",
        "de lunes a viernes de 8 am a 6 pm",
        may_be_empty=True,
    ),
    _choice("technique", "How the session was done.", ("deep", "superficial", "electro")),
    _flag("heat_ok", "Whether the screening leaves heat open.", True),
    _choice("drug", "Which pain medicine the screening lets a text name.", ("none", "acetaminophen", "any")),
    _flag("is_first", "Whether this is the first text of a plan to this phone.", False),
    _words(
        "person_choices",
        "The numbers to choose a person by, with initials and never a name.",
        "21 for D.R. or 22 for S.R.",
        "21 para D.R. o 22 para S.R.",
    ),
    _words("escalation_code", "The short code that names a case without naming a patient.", "K7Q2"),
    _words("severity_word", "How soon staff must act, in words.", "urgent", "urgente"),
    _words("caller_name", "Who of the clinic will call the patient, as the staff pages name them.", "Theo Tran"),
    _words(
        "call_time",
        'By what time of the patient\'s day somebody calls, in words that can follow "by" or "antes de".',
        "2:45 PM",
        "las 2:45 PM",
    ),
    _words("link", "The address, behind login, where staff read the case.", "https://care.example/e/K7Q2"),
)

VARIABLES: Mapping[str, Variable] = MappingProxyType({variable.name: variable for variable in _ALL})
