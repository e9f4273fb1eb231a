"""What every scenario is given, and the list of all scenarios."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.bench.carrier import Stub
from benchmarks.bench.engine import Engine, close_connections, start_engine
from benchmarks.bench.figures import Book
from benchmarks.bench.rows import Place, make_place

# What one person may have in flight at a carrier without being told to slow down; see reminders/delivery.
IN_FLIGHT = 50
SEND_WORKERS = 2


@dataclass(slots=True)
class Run:
    """One run of the benchmark. `engine` is there for the scenarios of the engine alone."""

    book: Book
    stub: Stub
    folder: Path
    quick: bool
    engine_now: Engine | None = None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _places: dict[str, Place] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """The stack that is up."""
        assert self.engine_now is not None, "this scenario runs without the engine"
        return self.engine_now

    def start(self, *, workers: int = SEND_WORKERS) -> None:
        """Start the engine, or start it anew on the same rows, with so many send processes."""
        is_first = self.engine_now is None
        self.stop()
        self.engine_now = start_engine(
            data_dir=self.folder / "engine", stub=self.stub, workers=workers, is_fresh=is_first
        )

    def stop(self) -> None:
        """Stop the engine, if it runs."""
        if self.engine_now is not None:
            close_connections()
            self.engine_now.stack.stop()

    @property
    def times(self) -> int:
        """How often a scenario is repeated."""
        return 1 if self.quick else 3

    def size(self, whole: int, quick: int) -> int:
        """Return how many, for this form of the run."""
        return quick if self.quick else whole

    def fresh(self, name: str) -> str:
        """Return a name that no earlier scenario of this run has used."""
        return f"{name}-{next(self._numbers)}"

    def place(self, name: str, *, patients: int) -> Place:
        """Return the clinic of this name, made at its first use."""
        if name not in self._places:
            self._places[name] = make_place(number=next(self._numbers), patients=patients)
        return self._places[name]


Scenario = Callable[[Run], None]
