"""The short form of `make chaos`: a few faults, few texts, one seed, and no promise broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from reminders.config import BASE_DIR
from tests.stack.launch import clean_environment, processes_of

# Those that heal within a lease, so that the test need not wait for the longer ones.
FAULTS = ("poison", "callbacks-forged", "carrier-21610", "broker-flush", "db-cut", "carrier-500-after", "stop-races")
COLUMNS_OF_PROMISES = ("lost", "doubled", "early", "at night", "stale", "after stop", "missed", "wrong")


@pytest.mark.stack
@pytest.mark.timeout(300)
def test_no_promise_is_broken_by_a_few_faults(tmp_path: Path) -> None:
    data_dir = tmp_path / "chaos"
    words = ["--seed", "13", "--messages", "90", "--faults", ",".join(FAULTS), "--window", "10"]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", "--data-dir", str(data_dir), *words],
        env=clean_environment(), cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines() if "|" in line]
    heads, total = rows[0], dict(zip(rows[0], rows[-1], strict=True))
    assert {row[0] for row in rows[2:-1]} == set(FAULTS)
    assert set(COLUMNS_OF_PROMISES) <= set(heads)
    assert {total[name] for name in COLUMNS_OF_PROMISES} == {"0"}
    assert int(total["texts"]) >= 90
    assert int(total["sent"]) > 45
    assert int(total["healed"]) > 0, "nothing was hit: the faults did not strike"
    assert processes_of(data_dir) == []
