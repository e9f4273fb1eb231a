"""`reminders understand` as a process: JSON lines in, JSON lines out."""

import json
import subprocess
import sys

COMMAND = [sys.executable, "-c", "from reminders.management.cli import main; main()", "understand"]


def _understand(content: bytes) -> list[dict[str, object]]:
    done = subprocess.run(COMMAND, input=content, capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_each_reply_gets_its_line() -> None:
    lines = [{"id": "a", "text": "2, but I can't breathe"}, {"id": 2, "text": "sigue igual"}, {"text": "STOP"}]

    answers = _understand("\n".join(json.dumps(line) for line in lines).encode())

    assert [(a["id"], a["intent"], a["score"], a["flags"]) for a in answers] == [
        ("a", "red_flag", 2, ["breathing"]),
        (2, "persists", None, []),
        (None, "opt_out", None, []),
    ]
    assert {"rule": "breathing.hard", "text": "can't breathe", "start": 9, "end": 22} in answers[0]["because"]  # type: ignore[operator]


def test_bad_lines_are_answered_and_the_rest_goes_on() -> None:
    answers = _understand(b'nonsense\n[1]\n{"id": 3}\n{"id": 4, "text": null}\n\n{"id": 5, "text": "fine"}\n\xff\n')

    assert [("error" in answer, answer.get("id")) for answer in answers] == [
        (True, None),
        (True, None),
        (True, 3),
        (True, 4),
        (False, 5),
        (True, None),
    ]
    assert "nonsense" not in json.dumps(answers)


def test_it_needs_no_settings_no_database_and_no_broker() -> None:
    program = (
        "import sys; from reminders.management.cli import main\n"
        "try: main(['understand'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('django', 'celery', 'psycopg', 'redis')))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], input=b'{"text": "3"}', capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["score"] == 3
