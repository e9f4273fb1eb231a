"""The short form of `make chaos`: a few faults, few texts, one seed, no promise broken. And that its books can see."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.chaos.books import Books
from benchmarks.chaos.table import Row
from reminders.clinic.models import Clinic, Patient, TreatmentSession
from reminders.config import BASE_DIR
from reminders.messaging.models import Message
from tests.stack.launch import clean_environment, processes_of

# Those that heal within a lease, so that the test need not wait for the longer ones.
FAULTS = ("poison", "callbacks-forged", "carrier-21610", "broker-flush", "db-cut", "carrier-500-after", "stop-races")
COLUMNS_OF_PROMISES = tuple(name.replace("_", " ") for name in Row.BROKEN)
# Ten in the morning in Chicago, on the day on which its clocks have gone forward.
DUE = datetime(2027, 3, 14, 15, tzinfo=UTC)
LATER = timedelta(minutes=5)


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


def judged(
    *created_at: datetime, taken_back: datetime | None = None, carrier_says: str = "delivered", **row: Any
) -> set[str]:
    """Return which promises the books find broken, for one row and what the carrier has processed of it."""
    session = TreatmentSession(ended_at=DUE - timedelta(hours=1)) if "step_key" in row else None
    message = Message(
        **{
            "pk": 7, "state": "delivered", "unknown_policy": "settle", "first_due_at": DUE, "due_at": DUE,
            "expires_at": DUE + timedelta(hours=2), "treatment_session": session,
            "patient": Patient(timezone="America/Chicago"), "clinic": Clinic(timezone="UTC"), **row,
        }
    )  # fmt: skip
    creates = [{"created_at": at.isoformat(), "status": carrier_says} for at in created_at]
    stops = {7: taken_back.timestamp()} if taken_back else {}
    counted = Row()
    run: Any = SimpleNamespace(taken_back=stops, may_be_refused=set())
    Books()._judge_one(counted, message, creates, ["accepted"], run)
    return {name for name in Row.BROKEN if getattr(counted, name)}


@pytest.mark.parametrize(
    ("broken", "case"),
    [
        (set(), {"created": [DUE]}),
        ({"lost"}, {"created": [], "state": "scheduled"}),
        ({"lost", "wrong"}, {"created": []}),
        ({"lost"}, {"created": [], "state": "rejected"}),
        (set(), {"created": [], "state": "expired"}),
        ({"doubled"}, {"created": [DUE, DUE + LATER]}),
        (set(), {"created": [DUE, DUE + LATER], "unknown_policy": "resend"}),
        ({"early"}, {"created": [DUE - LATER]}),
        # Only an hour has passed since the session, whatever the row says of when it is due.
        ({"early"}, {"created": [DUE], "step_key": "exercise"}),
        (set(), {"created": [DUE], "step_key": "heat"}),
        # A quarter to nine on the wall, and a quarter past.
        ({"early", "at_night"}, {"created": [datetime(2027, 3, 14, 13, 45, tzinfo=UTC)]}),
        ({"early"}, {"created": [datetime(2027, 3, 14, 14, 15, tzinfo=UTC)]}),
        ({"early"}, {"created": [datetime(2027, 3, 14, 13, 45, tzinfo=UTC)], "quiet_exempt": True}),
        ({"stale"}, {"created": [DUE + timedelta(hours=2, seconds=2)]}),
        ({"after_stop"}, {"created": [DUE], "state": "suppressed"}),
        ({"after_stop"}, {"created": [DUE], "taken_back": DUE - LATER}),
        (set(), {"created": [DUE], "taken_back": DUE - timedelta(seconds=0.5)}),
        ({"missed"}, {"created": [DUE], "state": "unresolved"}),
        ({"wrong"}, {"created": [DUE], "state": "failed"}),
        ({"wrong"}, {"created": [DUE], "carrier_says": "failed"}),
    ],
)
def test_the_books_see_each_broken_promise(broken: set[str], case: dict[str, Any]) -> None:
    assert judged(*case.pop("created"), **case) == broken
