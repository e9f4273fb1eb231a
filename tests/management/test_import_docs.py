"""The pages about the intake say what the code does."""

import re

import pytest

from reminders.clinic.intake_fields import FIELDS
from reminders.config import BASE_DIR

PAGES = {name: (BASE_DIR / "docs" / name).read_text("utf-8") for name in ("api.md", "importing.md")}
SOURCES = [
    *(BASE_DIR / "reminders" / "clinic").glob("*.py"),
    *(BASE_DIR / "reminders" / "api").glob("*.py"),
]
CODE = re.compile(
    r'(?:BadValueError\(\s*|Problem\(\s*(?:field|"\w+"),\s*|\bcode=|^    code = )"([a-z_]+)"', re.MULTILINE
)
NOT_ANSWERED = {"error", "unreadable_file", "name_taken", "last_owner"}


@pytest.mark.parametrize("field", FIELDS)
def test_every_column_is_described_word_for_word(field: str) -> None:
    row = f"| `{field}` | {FIELDS[field]} |"
    assert row in PAGES["importing.md"], f"docs/importing.md lacks this row:\n{row}"


def test_every_code_of_a_problem_is_described() -> None:
    codes = {code for path in SOURCES for code in CODE.findall(path.read_text("utf-8"))} - NOT_ANSWERED

    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in PAGES["api.md"]} == set()
