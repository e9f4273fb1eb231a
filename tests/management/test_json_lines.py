import io
import json
import sys

import pytest

from reminders.management.json_lines import run_json_lines


class _BytesAsText:
    def __init__(self, content: bytes = b"") -> None:
        self.buffer = io.BytesIO(content)


def _shout(line: dict[str, object]) -> dict[str, object]:
    text = line["text"]
    if not isinstance(text, str):
        raise TypeError("text must be a string")
    return {"id": line.get("id"), "text": text.upper()}


def _run(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[dict[str, object]]:
    out = _BytesAsText()
    monkeypatch.setattr(sys, "stdin", _BytesAsText(content))
    monkeypatch.setattr(sys, "stdout", out)
    run_json_lines(_shout)
    return [json.loads(line) for line in out.buffer.getvalue().decode().splitlines()]


def test_each_line_is_answered_in_order_and_blank_lines_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = _run(monkeypatch, '{"id": 1, "text": "a"}\n\n  \r\n{"id": "b", "text": "ñ"}'.encode())

    assert answers == [{"id": 1, "text": "A"}, {"id": "b", "text": "Ñ"}]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (b"not json", "the line is not JSON"),
        (b'"a string"', "the line is not a JSON object"),
        (b'{"id": NaN, "text": "a"}', "the line is not JSON"),
        (b'{"text": "\xff"}', "the line is not UTF-8"),
        (b"[" * 100_000, "the line is not JSON"),
        (b'{"words": "sore"}', "the field 'text' is missing"),
    ],
)
def test_a_bad_line_gets_an_error_and_the_next_one_its_answer(
    monkeypatch: pytest.MonkeyPatch, bad: bytes, error: str
) -> None:
    assert _run(monkeypatch, bad + b'\n{"id": 2, "text": "a"}\n') == [{"error": error}, {"id": 2, "text": "A"}]


def test_an_error_carries_the_id_of_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, b'{"id": 7, "text": 5}') == [{"id": 7, "error": "text must be a string"}]


def test_half_a_surrogate_pair_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, b'{"id": 1, "text": "a\\ud83d"}') == [{"id": 1, "text": "A\ud83d"}]


def test_a_byte_order_mark_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, b'\xef\xbb\xbf{"text": "a"}') == [{"id": None, "text": "A"}]
