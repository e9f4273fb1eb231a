"""The loop that the pure commands share: JSON objects in on standard input, one a line; one JSON line out for each."""

import json
import sys
from collections.abc import Callable
from typing import NoReturn


def run_json_lines(answer: Callable[[dict[str, object]], dict[str, object]]) -> None:
    """Read standard input to its end and write what `answer` says to each line, in order.

    Blank lines are skipped. A line that is not UTF-8, not JSON or not an object, and one for which `answer` raises
    ValueError, KeyError or TypeError, is answered with `{"error": ...}` (and its `id`, where it has one), and the loop
    goes on. An error never repeats what the line said: it may be a patient's words.
    """
    out = sys.stdout.buffer
    for raw in sys.stdin.buffer:
        if raw.strip():
            out.write(_encode(_answer_line(raw, answer)) + b"\n")
    out.flush()


def _answer_line(raw: bytes, answer: Callable[[dict[str, object]], dict[str, object]]) -> dict[str, object]:
    try:
        line = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return {"error": "the line is not UTF-8"}
    except (ValueError, RecursionError):
        return {"error": "the line is not JSON"}
    if not isinstance(line, dict):
        return {"error": "the line is not a JSON object"}
    try:
        return answer(line)
    except KeyError as error:
        problem = f"the field {error.args[0]!r} is missing" if error.args else "a field is missing"
    except (ValueError, TypeError) as error:
        problem = str(error) or "the line cannot be answered"
    return {"id": line["id"], "error": problem} if "id" in line else {"error": problem}


def _encode(answered: dict[str, object]) -> bytes:
    try:
        return json.dumps(answered, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair came in as an escape; it leaves as one
        return json.dumps(answered).encode()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
