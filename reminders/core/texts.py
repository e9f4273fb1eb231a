"""The catalogue of texts: which exist, who reads each, when it leaves, and what it may and must say.

The words themselves live in `templates/messages/<language>/<key>.j2` until a clinic publishes its own. `docs/texts.md`
shows this catalogue to authors; a test keeps the two the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final

from reminders.core.advice_lint import Hazard, Rendering, find_hazards
from reminders.core.rendering import CompiledText, TemplateError, compile_text, render
from reminders.core.text_variables import VARIABLES, VariableKind


class Audience(StrEnum):
    """Who reads a text."""

    PATIENT = "patient"
    STRANGER = "stranger"  # an unknown number: nothing about any patient
    STAFF = "staff"  # a code, a level and a link; nothing about any patient


class Medium(StrEnum):
    """How a text reaches its reader."""

    SMS = "sms"
    CALL = "call"
    PAGE = "page"  # shown or read aloud at the clinic; nothing is sent


_CLINIC = frozenset({"clinic_name", "clinic_phone"})
_ANSWER = _CLINIC | {"first_name", "clinician_title", "booking_url", "reply_hours"}
_PLAN = _ANSWER | {"technique", "heat_ok", "drug", "is_first"}
_RED_FLAG = _CLINIC | {"clinician_title"}
_STAFF = _CLINIC | {"escalation_code", "severity_word", "link"}


@dataclass(frozen=True, slots=True)
class TextKey:
    """One text of the catalogue.

    `variables` are the names its caller provides. `must_say` are words and `must_name` names that every rendering has
    to hold, whatever the values, `must_say_in` pairs a language with words of that language; a planned text has to say
    STOP and the clinic's name when it is the first.
    """

    key: str
    audience: Audience
    when: str
    variables: frozenset[str]
    must_say: tuple[str, ...] = ()
    must_name: tuple[str, ...] = ()
    must_say_in: tuple[tuple[str, str], ...] = ()
    medium: Medium = Medium.SMS

    @property
    def planned(self) -> bool:
        """Whether a plan dates this text (the others answer something)."""
        return "is_first" in self.variables


def _planned(key: str, when: str) -> TextKey:
    return TextKey(key, Audience.PATIENT, when, _PLAN)


def _answer(key: str, when: str, say: tuple[str, ...] = (), name: tuple[str, ...] = ()) -> TextKey:
    return TextKey(key, Audience.PATIENT, when, _ANSWER, say, name)


def _red_flag(key: str, when: str, say: tuple[str, ...]) -> TextKey:
    return TextKey(key, Audience.PATIENT, when, _RED_FLAG, say)


def _quick(key: str, when: str) -> TextKey:
    return TextKey(key, Audience.PATIENT, when, _ANSWER)


def _staff(key: str, when: str, name: tuple[str, ...] = (), medium: Medium = Medium.SMS) -> TextKey:
    return TextKey(key, Audience.STAFF, when, _STAFF, (), name, medium=medium)


QUICK: Final = "quick_"
"""What the keys of texts begin with that staff may start from when they write by hand."""

_BRAND_AND_PHONE = ("clinic_name", "clinic_phone")

# What carriers want said before a yes (the cost, and that care does not hang on it), and the warning that the preamble
# of the 2013 HIPAA rule (78 FR 5634) wants given before health words leave unencrypted.
_CONSENT_WORDS = (
    ("en", "data rates may apply"),
    ("en", "not encrypted"),
    ("en", "not a condition"),
    ("es", "tarifas de mensajes y datos"),
    ("es", "no van cifrados"),
    ("es", "no es condición"),
)

# The words that HELP, opt-in and opt-out answers must hold are those of the CTIA messaging principles.
_ALL = (
    _planned("advice_heat", "The first advice: heat, or why not today."),
    _planned("advice_exercise", "Advice on moving, with a line for the technique."),
    _planned("advice_otc", "Advice on pain medicine; names only what the screening leaves open."),
    _planned("check_in", "The question: how sore, 0 to 10?"),
    _planned("nudge", "The question once more, after silence."),
    _planned("recheck", "The question again, a day after soreness that persists."),
    _red_flag("emergency", "At once, after a sign that needs 911.", ("911",)),
    _red_flag("emergency_self_harm", "At once, after words about dying or self-harm.", ("988", "911")),
    _red_flag("urgent_call_you", "At once, after a serious sign that a clinician must hear about.", ("911",)),
    _red_flag("ladder_exhausted_patient", "When nobody on call answered an urgent case.", ("911",)),
    _answer("told_your_pt", "Soreness persists, and no question is open: a recheck, or after the follow-up."),
    _answer(
        "told_your_pt_follow_up",
        "Soreness persists: the clinic knows, and one question about the course. Its numbers, 11 to 13, lie outside the"
        " 0 to 10 scale, so no answer to one question can be taken for the other.",
        ("11", "12", "13"),
    ),
    _answer("thanks_resolved", "Little or no soreness: the check-in is closed."),
    _answer("question_received", "A question: when a person reads it, and the phone number.", name=("clinic_phone",)),
    _answer("ask_number_again", "The first answer that was not understood."),
    _answer("person_will_look", "The second answer that was not understood.", name=("clinic_phone",)),
    _answer("check_in_closed_thanks", "An answer after the check-in closed.", name=("clinic_phone",)),
    _answer("clinician_acknowledged", "A clinician took the case."),
    TextKey(
        "call_announced",
        Audience.PATIENT,
        "A clinician took the case and chose to say who will call, and by when.",
        _ANSWER | {"caller_name", "call_time"},
        ("911",),
        ("caller_name", "call_time"),
    ),
    _answer("opt_out_confirmed", "The one text after STOP.", name=("clinic_name",)),
    _answer("opt_in_confirmed", "After START, or at enrolment.", ("HELP", "STOP"), ("clinic_name",)),
    _answer("help", "After HELP.", ("STOP",), _BRAND_AND_PHONE),
    TextKey(
        "which_person",
        Audience.PATIENT,
        "An answer from a phone that two patients share, both of whom were asked. Its numbers begin at 21, so no answer"
        " is taken for a score or for the follow-up's.",
        _CLINIC | {"person_choices"},
        ("911",),
        ("person_choices",),
    ),
    TextKey(
        "wrong_number",
        Audience.STRANGER,
        "Once, to who says that they are not the patient: nothing about anybody, not even which clinic.",
        frozenset(),
        ("911",),
    ),
    TextKey(
        "unknown_number",
        Audience.STRANGER,
        "A text from a number that no patient has.",
        _CLINIC | {"booking_url", "reply_hours"},
        ("911",),
        _BRAND_AND_PHONE,
    ),
    _quick("quick_call_us", "A colleague asks for a call; offered where staff write a text by hand."),
    _quick("quick_will_call", "A colleague promises a call; offered where staff write a text by hand."),
    _quick("quick_visit", "A colleague offers a visit; offered where staff write a text by hand."),
    _staff("staff_notice", "An SMS to staff: a case needs someone.", ("escalation_code", "severity_word", "link")),
    _staff(
        "staff_call",
        "Spoken to staff on a call; a keypress acknowledges.",
        ("severity_word", "escalation_code"),
        Medium.CALL,
    ),
    _staff("staff_acknowledged", "To the one who acknowledged.", ("escalation_code",)),
    _staff("staff_code_unknown", "A code that no open case has."),
    TextKey(
        "consent_disclosure",
        Audience.PATIENT,
        "Shown or read to a patient who is asked to agree to texts; kept word for word with the yes.",
        _CLINIC,
        ("HELP", "STOP"),
        ("clinic_name",),
        _CONSENT_WORDS,
        Medium.PAGE,
    ),
)

TEXTS: Mapping[str, TextKey] = MappingProxyType({text.key: text for text in _ALL})


def sample_values(names: frozenset[str], *, language: str) -> Iterator[dict[str, object]]:
    """Yield values for the given names: every choice and flag, with the words that may be empty given and left out."""
    options: list[list[object]] = []
    ordered = sorted(names)
    for variable in (VARIABLES[name] for name in ordered):
        if variable.kind is VariableKind.FLAG:
            options.append([True, False])
        elif variable.kind is VariableKind.CHOICE:
            options.append([*variable.choices])
        elif variable.may_be_empty:
            options.append([variable.examples[language], ""])
        else:
            options.append([variable.examples[language]])
    for combination in product(*options):
        yield dict(zip(ordered, combination, strict=True))


def check_text(*, key: str, language: str, source: str) -> CompiledText:
    """Check one text as the text of its key: what `compile_text` checks, the names it may use, and what it must say.

    Renders it with every choice and flag, so no branch can fail or fall silent later. Raises TemplateError with the
    further codes `unknown_text`, `variable_not_here`, `must_say`, `unguarded_advice` and `dose`.
    """
    text = TEXTS.get(key)
    if text is None:
        raise TemplateError(code="unknown_text", message=f"There is no text {key!r}; the texts are {', '.join(TEXTS)}.")
    compiled = compile_text(source)
    extra = sorted(compiled.variables - text.variables)
    if extra:
        here = ", ".join(sorted(text.variables))
        message = f"Take out {', '.join(extra)}: it is not known when this text leaves. Here are {here}."
        raise TemplateError(code="variable_not_here", message=message)
    for values in sample_values(compiled.variables, language=language):
        body = render(compiled, values=values).casefold()
        # A planned text that does not ask whether it is the first can be the first all the same.
        first = text.planned and values.get("is_first", True)
        for said, wanted in _owed(text, first=bool(first), language=language):
            if wanted.casefold() not in body:
                where = " in a first text" if first else ""
                raise TemplateError(code="must_say", message=f"Let the text say {said}{where}, in every case.")
    for hazard in advice_hazards(key=key, language=language, compiled=compiled):
        raise TemplateError(code=hazard.code, message=hazard.message)
    return compiled


def advice_hazards(*, key: str, language: str, compiled: CompiledText) -> tuple[Hazard, ...]:
    """Return what a text of the catalogue would tell patients about heat and medicine who must not be told, and doses.

    Only what is sent to patients or strangers is looked at. A case that cannot be rendered is left out here.
    """
    text = TEXTS[key]
    if text.audience is Audience.STAFF or text.medium is Medium.PAGE:
        return ()
    return find_hazards(_renderings(compiled, language), knows=text.variables)


def _renderings(compiled: CompiledText, language: str) -> Iterator[Rendering]:
    for values in sample_values(compiled.variables, language=language):
        try:
            body = render(compiled, values=values)
        except TemplateError:
            continue
        heat_ok, drug = values.get("heat_ok"), values.get("drug")
        yield Rendering(body, heat_ok if isinstance(heat_ok, bool) else None, drug if isinstance(drug, str) else None)


def _owed(text: TextKey, *, first: bool, language: str) -> Iterator[tuple[str, str]]:
    """Yield what a rendering must hold: as the author writes it, and as it is read with the examples."""
    in_this_language = tuple(words for code, words in text.must_say_in if code == language)
    for word in (*text.must_say, *in_this_language, *(("STOP",) if first else ())):
        yield word, word
    for name in (*text.must_name, *(("clinic_name",) if first else ())):
        yield f"{{{{ {name} }}}}", str(VARIABLES[name].examples[language])
