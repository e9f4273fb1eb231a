"""How the story is told: a local time, a name, a sentence; and a tick for everything that was checked."""

import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from reminders.management.demo.cast import Person

TIME_WIDTH = 23
PLAIN_WIDTH = 120
MOST_WIDTH = 132


class Narrator:
    """Writes to the terminal, and remembers what was off."""

    def __init__(self) -> None:
        # A terminal that cannot show a letter shows a question mark instead of a traceback.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self._console = Console(highlight=False, emoji=False, markup=False)
        self._console.width = min(MOST_WIDTH, self._console.width) if self._console.is_terminal else PLAIN_WIDTH
        self._day = ""
        self.checks = 0
        self.off: list[str] = []

    def title(self, words: str) -> None:
        """Begin a part that has no time of its own."""
        self._console.print()
        self._console.print(Rule(Text(words, style="bold"), align="left", style="dim"))

    def say(self, words: str, *, style: str = "") -> None:
        """Say a sentence that belongs to nobody's clock."""
        self._console.print(Padding(Text(words, style=style), (0, 0, 0, 2), expand=False))

    def tell(self, person: Person, at: datetime, words: str, *, quoted: str = "") -> None:
        """Say what happens to somebody, at a moment of their own clock; `quoted` is read out."""
        local = person.local(at)
        self._turn_page(local)
        line = Text(words, style=person.colour)
        if quoted:
            line.append(f" “{quoted}”", style="default")
        self._row(Text(f"{local:%a %H:%M} {city(person.zone)}", style="dim"), line)

    def check(self, sentence: str, holds: bool) -> bool:
        """Tick a sentence that holds; remember one that does not, and go on."""
        self.checks += 1
        mark = Text("✓" if holds else "✗", style="bold green" if holds else "bold red")
        words = Text(sentence, style="dim" if holds else "bold red")
        if not holds:
            self.off.append(sentence)
        self._row(Text(""), words, mark=mark)
        return holds

    def details(self, lines: list[str]) -> None:
        """List facts below a check."""
        for line in lines:
            self._console.print(Padding(Text(line, style="dim"), (0, 0, 0, TIME_WIDTH + 9), expand=False))

    def _turn_page(self, local: datetime) -> None:
        day = f"{local:%A}"
        if day not in self._day:
            self._day += day
            self.title(day)

    def _row(self, left: Text, right: Text, *, mark: Text | None = None) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=TIME_WIDTH, no_wrap=True)
        if mark is not None:
            grid.add_column(width=3, justify="right")
        grid.add_column(overflow="fold")
        grid.add_row(left, mark, right) if mark is not None else grid.add_row(left, right)
        self._console.print(Padding(grid, (0, 0, 0, 2)))


def city(zone: ZoneInfo) -> str:
    """Return the zone's city as people write it."""
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")
