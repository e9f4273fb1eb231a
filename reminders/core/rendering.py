"""Texts: from an author's source to the words that leave. Pure, bounded, and closed.

An author is trusted with words, not with a program: the source is checked when it is published (`text_checks`), and
what it can do at most is choose between sentences. Values are data: braces in a name stay braces, control characters
are gone.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reminders.core.segments import to_gsm
from reminders.core.text_checks import TemplateError, check_tree
from reminders.core.text_variables import VARIABLES, Variable, VariableKind

__all__ = ["VARIABLES", "CompiledText", "TemplateError", "Variable", "compile_text", "render"]

MAX_SOURCE = 4_000  # characters an author may write; the largest starter text has under 800
MAX_VALUE = 300  # characters one value may bring; a booking address is the longest
MAX_OUTPUT = 1_600  # the carrier's limit for one body (its error 21617)

_JOINERS = "\u200c\u200d"  # hold an emoji or a name together; all other format characters can hide or turn words
_TOO_COMPLEX = (RecursionError, MemoryError, SyntaxError, OverflowError)


def _capfirst(text: str) -> str:
    """Raise the first letter and leave the rest: "your PT" becomes "Your PT"."""
    return text[:1].upper() + text[1:]


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # an SMS is plain text; pages escape it where they show it
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=0,
        auto_reload=False,
    )
    environment.globals.clear()
    environment.tests = {}
    environment.filters = {"capfirst": _capfirst, "lower": str.lower, "trim": str.strip, "upper": str.upper}
    return environment


_ENVIRONMENT = _environment()


@dataclass(frozen=True, slots=True)
class CompiledText:
    """A checked text, ready to render any number of times, in any thread. `variables` are the names it needs."""

    source: str
    variables: frozenset[str]
    template: jinja2.Template = field(repr=False, compare=False)


@lru_cache(maxsize=1_024)
def compile_text(source: str) -> CompiledText:
    """Check and compile one text; the same source is compiled once per process.

    Raises TemplateError (`code`, `line`, `column`) with a sentence for the author: unknown names, anything that loops,
    calls or computes, comparisons that could never be true, braces that a patient would see, and nothing to send.
    """
    if not source.strip():
        raise TemplateError(code="empty", message="Write the text; there is nothing to send.")
    if len(source) > MAX_SOURCE:
        raise TemplateError(code="too_long", message=f"Shorten the text to {MAX_SOURCE} characters.")
    try:
        tree = _ENVIRONMENT.parse(source)
        names = check_tree(tree, source=source)
        template = _ENVIRONMENT.from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        message = (
            f"The text cannot be read here ({(error.message or 'syntax').rstrip('.')})."
            " See that each {{ has its }}, and each {% if %} its {% endif %}."
        )
        raise TemplateError(code="syntax", message=message, line=error.lineno) from None
    except _TOO_COMPLEX:
        message = "Nest fewer brackets and conditions; no reader could check this text."
        raise TemplateError(code="too_complex", message=message) from None
    return CompiledText(source=source, variables=names, template=template)


def render(compiled: CompiledText, *, values: Mapping[str, object]) -> str:
    """Return the body to send: at most 1,600 characters, one space between words, quotes and dashes of GSM-7.

    Every name the text mentions must be in `values`, also one in a branch that is not taken; names it does not mention
    are ignored. A line break that the author wrote stays; blank lines and spaces at either end go.
    Raises TemplateError: `missing_variable`, `bad_value`, `too_long` (the longest body the carrier takes), `empty`.
    """
    missing = sorted(compiled.variables - values.keys())
    if missing:
        message = f"Give a value for {', '.join(missing)}; the text cannot be sent without it."
        raise TemplateError(code="missing_variable", message=message)
    ready = {name: _clean_value(VARIABLES[name], values[name]) for name in compiled.variables}
    try:
        body = compiled.template.render(ready)
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
        # The cause may quote a value, so it is not chained.
        raise TemplateError(
            code="cannot_render", message="The text could not be put together; test it again."
        ) from None
    body = _collapse(to_gsm(body))
    if not body:
        raise TemplateError(code="empty", message="With these values the text is empty; write words for this case.")
    if len(body) > MAX_OUTPUT:
        raise TemplateError(code="too_long", message=f"Shorten the text; a body holds {MAX_OUTPUT} characters.")
    return body


def _clean_value(variable: Variable, value: object) -> str | bool:
    if variable.kind is VariableKind.FLAG:
        if not isinstance(value, bool):
            raise TemplateError(code="bad_value", message=f"Give {variable.name} as true or false.")
        return value
    if not isinstance(value, str):
        raise TemplateError(code="bad_value", message=f"Give {variable.name} as words.")
    words = _one_line(str(value))
    if variable.kind is VariableKind.CHOICE and words not in variable.choices:
        raise TemplateError(code="bad_value", message=f"Give {variable.name} as one of {', '.join(variable.choices)}.")
    if not words and not variable.may_be_empty:
        raise TemplateError(code="missing_variable", message=f"Give a value for {variable.name}; it is empty.")
    if len(words) > MAX_VALUE:
        raise TemplateError(code="bad_value", message=f"Shorten {variable.name} to {MAX_VALUE} characters.")
    return words


def _one_line(value: str) -> str:
    """Drop what no reader can see (control, format, private, surrogate), and keep one space between words."""
    value = unicodedata.normalize("NFC", value)
    if value.isprintable():  # nearly every text; the long way takes four times as long
        return " ".join(value.split())
    spaced = (" " if char.isspace() else char for char in value)
    return " ".join("".join(char for char in spaced if char in _JOINERS or not _invisible(char)).split())


def _invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co")


def _collapse(body: str) -> str:
    lines = (_one_line(line) for line in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", body))
    return "\n".join(line for line in lines if line)
