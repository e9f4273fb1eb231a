"""Writes the reference tables of `docs/texts.md` from the code: `python -m tests.texts_page`."""

from pathlib import Path

from reminders.core.rendering import compile_text, render
from reminders.core.text_variables import VARIABLES, Variable
from reminders.core.texts import TEXTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "texts.md"
NAMES, TEXTS_MARK, END = "<!-- names -->", "<!-- texts -->", "<!-- end -->"


def names_table() -> str:
    """One row per name an author may use."""
    rows = ["| name | use | what it is | example |", "| --- | --- | --- | --- |"]
    rows += [f"| `{v.name}` | {_use(v)} | {v.description} | {_example(v)} |" for v in VARIABLES.values()]
    return "\n".join(rows)


def texts_table() -> str:
    """One row per text, with its English and Spanish starter as it reads with the examples."""
    rows = [
        "| text | read by | when it leaves | English starter | Spanish starter |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| `{t.key}` | {t.audience} | {t.when} | {_starter(t.key, 'en')} | {_starter(t.key, 'es')} |"
        for t in TEXTS.values()
    ]
    return "\n".join(rows)


def page_with_tables(page: str) -> str:
    """The page with its tables replaced by today's."""
    for mark, table in ((NAMES, names_table()), (TEXTS_MARK, texts_table())):
        before, rest = page.split(mark, 1)
        after = rest.split(END, 1)[1]
        page = f"{before}{mark}\n\n{table}\n\n{END}{after}"
    return page


def _use(variable: Variable) -> str:
    if variable.choices:
        return f"compare with {', '.join(f'`{choice}`' for choice in variable.choices)}"
    if variable.kind == "flag":
        return "ask with `if`"
    return "print; may be empty" if variable.may_be_empty else "print"


def _example(variable: Variable) -> str:
    shown = [str(value).lower() if isinstance(value, bool) else value for value in variable.examples.values()]
    return " / ".join(dict.fromkeys(shown))


def _starter(key: str, language: str) -> str:
    compiled = compile_text((ROOT / "templates" / "messages" / language / f"{key}.j2").read_text("utf-8"))
    values = {name: VARIABLES[name].examples[language] for name in compiled.variables}
    return render(compiled, values=values).replace("\n", "<br>")


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
