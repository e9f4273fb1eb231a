"""What a text may contain. A text is words, names from the closed list, and if/elif/else: nothing that can loop,
call, reach into an object or grow. The checks read the parsed tree, so a bad text is refused before it is published."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from jinja2 import nodes

from reminders.core.text_variables import VARIABLES, VariableKind

FILTERS = ("capfirst", "lower", "trim", "upper")
MAX_DEPTH = 12  # nested ifs and brackets; the deepest starter text has 4

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
    nodes.List,
    nodes.Tuple,
)
_SAID = {
    nodes.For: "a loop",
    nodes.Macro: "a macro",
    nodes.Import: "an import",
    nodes.FromImport: "an import",
    nodes.Include: "an include",
    nodes.Extends: "an extends",
    nodes.Block: "a block",
    nodes.Assign: "a set",
    nodes.AssignBlock: "a set",
    nodes.CallBlock: "a call",
    nodes.Call: "a call",
    nodes.FilterBlock: "a filter block",
    nodes.With: "a with",
    nodes.Getattr: "a dot",
    nodes.Getitem: "a look-up in brackets",
    nodes.Test: "an is-test",
    nodes.Dict: "a dictionary",
    nodes.BinExpr: "arithmetic",
    nodes.UnaryExpr: "arithmetic",
    nodes.Concat: "joining with ~",
}


class TemplateError(ValueError):
    """A text that cannot be published or sent.

    `code` is stable, `message` tells the author what to change, `line` and `column` (both from 1) point at the place
    where it is known. None of them ever holds a value, so they may be logged.
    """

    def __init__(self, *, code: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column


def check_tree(tree: nodes.Template, *, source: str) -> frozenset[str]:
    """Return the names that a parsed text uses, or raise TemplateError for the first thing it may not contain."""
    names: set[str] = set()
    # The list first: what may not be there at all is said before what is wrong with the rest.
    for node in list(_walk(tree, depth=0)):
        if isinstance(node, nodes.Name):
            _check_name(node, source)
            names.add(node.name)
        elif isinstance(node, nodes.TemplateData):
            _check_literal(node)
        elif isinstance(node, nodes.Filter):
            _check_filter(node, source)
        elif isinstance(node, nodes.Compare):
            _check_compare(node, source)
        elif isinstance(node, nodes.Output):
            for part in node.nodes:
                _check_printed(part, source)
        elif isinstance(node, nodes.If):
            _check_condition(node.test, source)
        elif isinstance(node, nodes.CondExpr):
            _check_condition(node.test, source)
            if node.expr2 is None:
                raise _error("no_else", "Say what to write otherwise: {{ 'this' if heat_ok else 'that' }}.", node)
        elif isinstance(node, nodes.And | nodes.Or):
            _check_condition(node.left, source)
            _check_condition(node.right, source)
        elif isinstance(node, nodes.Not):
            _check_condition(node.node, source)
    return frozenset(names)


def _walk(node: nodes.Node, *, depth: int) -> Iterator[nodes.Node]:
    if not isinstance(node, _ALLOWED):
        said = next((word for kind, word in _SAID.items() if isinstance(node, kind)), "something")
        raise _error("not_allowed", f"Take out {said}: a text may only hold words, names and if/elif/else.", node)
    if depth > MAX_DEPTH * 2:  # an if and its test are two levels of the tree
        raise _error("too_complex", "Nest fewer conditions; no reader could check this text.", node)
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child, depth=depth + 1)


def _error(code: str, message: str, node: nodes.Node, *, word: str = "", source: str = "") -> TemplateError:
    return TemplateError(code=code, message=message, line=node.lineno, column=_column(source, node.lineno, word))


def _column(source: str, line: int, word: str) -> int | None:
    """The parser keeps lines only, so the column is that of the word's first place on its line inside a tag."""
    lines = source.splitlines()
    if not word or line > len(lines):
        return None
    found = re.search(rf"(?:\{{\{{|\{{%)[^}}]*?\b({re.escape(word)})\b", lines[line - 1])
    return found.start(1) + 1 if found else None


def _check_name(node: nodes.Name, source: str) -> None:
    if node.ctx != "load" or node.name not in VARIABLES:
        near = get_close_matches(node.name, VARIABLES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the names are {', '.join(VARIABLES)}."
        raise _error("unknown_variable", f"There is no name {node.name!r}; {hint}", node, word=node.name, source=source)


def _check_literal(node: nodes.TemplateData) -> None:
    found = re.search("[{}]", node.data)
    if found:
        message = "Write names with two braces on each side, like {{ clinic_name }}; a patient would see this brace."
        line = node.lineno + node.data.count("\n", 0, found.start())
        raise TemplateError(code="stray_brace", message=message, line=line)


def _check_filter(node: nodes.Filter, source: str) -> None:
    if node.name not in FILTERS or node.args or node.kwargs or node.node is None:
        message = f"Use one of the filters {', '.join(FILTERS)}, without arguments."
        raise _error("unknown_filter", message, node, word=node.name, source=source)


def _check_compare(node: nodes.Compare, source: str) -> None:
    sides = [node.expr, *(operand.expr for operand in node.ops)]
    if any(operand.op not in ("eq", "ne", "in", "notin") for operand in node.ops) or len(node.ops) != 1:
        raise _error("bad_comparison", "Compare with ==, != or in, two things at a time.", node)
    for name in (side for side in sides if isinstance(side, nodes.Name)):
        variable = VARIABLES.get(name.name)
        if variable is None:
            _check_name(name, source)
        elif variable.kind is VariableKind.FLAG:
            message = f"Ask {name.name} as {{% if {name.name} %}} or {{% if not {name.name} %}}, without comparing."
            raise _error("bad_comparison", message, name, word=name.name, source=source)
        elif variable.kind is VariableKind.CHOICE:
            _check_choices(name, sides, variable.choices, source)


def _check_choices(name: nodes.Name, sides: list[nodes.Expr], choices: tuple[str, ...], source: str) -> None:
    others = [side for side in sides if side is not name]
    items = [item for side in others for item in (side.items if isinstance(side, nodes.List | nodes.Tuple) else [side])]
    for item in items:
        if not isinstance(item, nodes.Const) or item.value not in choices:
            message = f"{name.name} is one of {', '.join(choices)}; compare it with these, in quotes."
            raise _error("unknown_choice", message, name, word=name.name, source=source)


def _check_printed(part: nodes.Expr, source: str) -> None:
    inner = part
    while isinstance(inner, nodes.Filter) and inner.node is not None:
        inner = inner.node
    if isinstance(inner, nodes.CondExpr):
        for branch in (inner.expr1, inner.expr2):
            if branch is not None:
                _check_printed(branch, source)
    elif isinstance(inner, nodes.Name) and inner.name in VARIABLES:
        if VARIABLES[inner.name].kind is not VariableKind.WORDS:
            message = f"{inner.name} is a code, not words for a reader; ask it with if and write the words."
            raise _error("code_printed", message, inner, word=inner.name, source=source)
    elif not isinstance(inner, nodes.TemplateData | nodes.Name) and not (
        isinstance(inner, nodes.Const) and isinstance(inner.value, str)
    ):
        raise _error("not_words", "Print a name or words in quotes; put conditions into if.", part)


def _check_condition(test: nodes.Node, source: str) -> None:
    if isinstance(test, nodes.Name) and test.name in VARIABLES:
        variable = VARIABLES[test.name]
        if variable.kind is VariableKind.CHOICE:
            message = f"{test.name} is always set; compare it, as in {test.name} == '{variable.choices[0]}'."
            raise _error("bad_comparison", message, test, word=test.name, source=source)
    elif not isinstance(test, nodes.Name | nodes.Compare | nodes.And | nodes.Or | nodes.Not):
        raise _error("bad_comparison", "Let a condition be a name or a comparison, joined by and, or, not.", test)
