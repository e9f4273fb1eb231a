"""The stub carrier of `benchmarks/stub`: built with the machine's compiler, started, asked."""

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "stub" / "stub.c"
HOST = "127.0.0.1"
COUNT_EVERY_SECONDS = 0.02


class BenchError(Exception):
    """A scenario could not be done. The message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Create:
    """One create as the carrier saw it. `at`: seconds since 1970, on the clock that the database has too."""

    at: float
    from_number: str
    to_number: str


def build_stub(folder: Path) -> Path:
    """Compile the stub into `folder` and return the program.

    Uses `cc`, else the C compiler in the `ziglang` wheel. Raises BenchError where neither is there or it refuses.
    """
    program = folder / "stub"
    compiler = [shutil.which("cc") or shutil.which("gcc") or ""]
    if not compiler[0]:
        if find_spec("ziglang") is None:
            raise BenchError("There is no C compiler: install one, or the one in requirements-bench.txt.")
        compiler = [sys.executable, "-m", "ziglang", "cc"]
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*compiler, "-O2", "-o", str(program), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"The stub carrier does not compile: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return program


class Stub:
    """A running stub carrier."""

    def __init__(self, program: Path, port: int) -> None:
        self._program = program
        self.port = port
        self.url = f"http://{HOST}:{port}"

    def reset(self, *, delay_ms: int = 0) -> None:
        """Forget all creates; from now on each is answered after `delay_ms`."""
        self._ask("POST", f"/reset?delay_ms={delay_ms}")

    def count(self) -> int:
        """Return how many creates have arrived."""
        return int(json.loads(self._ask("GET", "/count"))["creates"])

    def creates(self) -> list[Create]:
        """Return all creates in the order of their arrival."""
        lines = self._ask("GET", "/times").decode().splitlines()
        # A create without a number leaves its column empty.
        return [Create(int(at) / 1e6, sender, to) for at, sender, to in (line.split(" ") for line in lines)]

    def wait_for(self, creates: int, *, seconds: float) -> None:
        """Return once so many creates have arrived. Raises BenchError after `seconds`."""
        deadline = time.monotonic() + seconds
        while (found := self.count()) < creates:
            if time.monotonic() > deadline:
                raise BenchError(f"Only {found} of {creates} creates arrived within {seconds:g} s.")
            time.sleep(COUNT_EVERY_SECONDS)

    def ceiling(self, *, connections: int, seconds: float) -> float:
        """Return how many creates a second the stub answers to a compiled client."""
        command = [str(self._program), "load", str(self.port), str(connections), str(seconds)]
        done = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return float(done["answered"] / done["seconds"])

    def _ask(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.request(method, path, headers={"Content-Length": "0"} if method == "POST" else {})
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def running_stub(program: Path) -> Iterator[Stub]:
    """Start the stub on a free port and stop it afterwards."""
    with subprocess.Popen([str(program), "serve"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Stub(program, int(process.stdout.readline()))
        finally:
            process.kill()
