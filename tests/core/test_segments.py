"""Segments against literal counts, against counts recorded from the carrier's calculator, and against plain laws.

`tests/data/segments_reference.jsonl` holds 330 texts of our own as runs of (piece, times), with what the npm package
sms-segments-calculator 1.3.0 says of each.
"""

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminders.core.graphemes import clusters
from reminders.core.segments import (
    GSM,
    GSM_BASIC,
    GSM_EXTENSION,
    Encoding,
    SegmentCount,
    count_segments,
    to_gsm,
    ucs2_characters,
)

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "segments_reference.jsonl"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"  # 11 code units, one cluster


def test_every_recorded_text_counts_as_the_carriers_calculator_says() -> None:
    cases = [json.loads(line) for line in REFERENCE.read_text().splitlines()]
    wrong = []
    for case in cases:
        count = count_segments("".join(piece * times for piece, times in case["runs"]))
        if (count.encoding, count.segments) != (case["encoding"], case["segments"]):
            wrong.append((case, count))

    assert len(cases) == 330
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SegmentCount(Encoding.GSM_7, 1, 0, 160)),
        ("a" * 160, SegmentCount(Encoding.GSM_7, 1, 160, 0)),
        ("a" * 161, SegmentCount(Encoding.GSM_7, 2, 161, 145)),
        ("a" * 306, SegmentCount(Encoding.GSM_7, 2, 306, 0)),
        ("a" * 307, SegmentCount(Encoding.GSM_7, 3, 307, 152)),
        ("€" * 80, SegmentCount(Encoding.GSM_7, 1, 160, 0)),
        # The pair at 153 and 154 moves to the second part as one, and leaves a septet of the first unused.
        ("a" * 152 + "€" + "a" * 151, SegmentCount(Encoding.GSM_7, 2, 305, 0)),
        ("a" * 152 + "€" + "a" * 152, SegmentCount(Encoding.GSM_7, 3, 306, 152)),
        ("\r\n" * 80, SegmentCount(Encoding.GSM_7, 1, 160, 0)),
        ("á" * 70, SegmentCount(Encoding.UCS_2, 1, 70, 0)),
        ("á" * 71, SegmentCount(Encoding.UCS_2, 2, 71, 63)),
        ("á" * 134, SegmentCount(Encoding.UCS_2, 2, 134, 0)),
        ("á" * 135, SegmentCount(Encoding.UCS_2, 3, 135, 66)),
        # In UCS-2 an extension character is one unit like any other.
        ("€" * 69 + "á", SegmentCount(Encoding.UCS_2, 1, 70, 0)),
        ("\U0001f600" * 35, SegmentCount(Encoding.UCS_2, 1, 70, 0)),
        # The surrogate pair at units 67 and 68 moves to the second part whole.
        ("á" * 66 + "\U0001f600" * 3, SegmentCount(Encoding.UCS_2, 2, 72, 61)),
        (FAMILY * 6 + "abcd", SegmentCount(Encoding.UCS_2, 1, 70, 0)),
        (FAMILY * 6 + "abcde", SegmentCount(Encoding.UCS_2, 2, 71, 63)),
        ("e\u0301", SegmentCount(Encoding.UCS_2, 1, 2, 68)),
        # One visible character of 90 units fits nowhere: the calculator leaves the first part empty.
        ("e" + "\u0301" * 89, SegmentCount(Encoding.UCS_2, 2, 90, 0)),
    ],
)
def test_a_text_of_known_size(text: str, expected: SegmentCount) -> None:
    assert count_segments(text) == expected


def test_spanish_falls_out_of_gsm_by_its_acute_vowels_alone() -> None:
    assert count_segments("Señor, ¿qué tal?").encoding is Encoding.GSM_7
    assert count_segments("¿Cómo está?").encoding is Encoding.UCS_2
    assert ucs2_characters("¿Cómo está?") == [(2, "ó"), (9, "á")]


def test_the_alphabet_has_its_127_characters_and_10_extensions() -> None:
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENSION) == 10
    assert not GSM & set("áíóúçêâ’“”–—…`\t\u00a0\x1b")


def test_halves_of_a_surrogate_pair_count_one_unit_each_and_whole_pairs_two() -> None:
    assert count_segments("\ud83d").units == 1
    assert count_segments("\ude00" * 70) == SegmentCount(Encoding.UCS_2, 1, 70, 0)
    assert count_segments("\ud83d" + "\ude00") == count_segments("\U0001f600")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb", ["a", "\r\n", "b"]),
        ("e\u0301a", ["e\u0301", "a"]),
        (FAMILY + "a", [FAMILY, "a"]),
        ("\U0001f1fa\U0001f1f8\U0001f1f2\U0001f1fd", ["\U0001f1fa\U0001f1f8", "\U0001f1f2\U0001f1fd"]),
        ("\U0001f44d\U0001f3fd!", ["\U0001f44d\U0001f3fd", "!"]),
        ("\u1112\u1161\u11ab\ud55c", ["\u1112\u1161\u11ab", "\ud55c"]),
        # Departures of the calculator: a second mark after a flag, and a skin tone after two marks.
        ("\U0001f1fa\U0001f1f8\u0301\u0301", ["\U0001f1fa\U0001f1f8\u0301", "\u0301"]),
        ("\U0001f44d\u0301\u0301\U0001f3fd", ["\U0001f44d\u0301\u0301", "\U0001f3fd"]),
        # An emoji younger than Unicode 10 is not held together.
        ("\U0001faf6\U0001f3ff", ["\U0001faf6", "\U0001f3ff"]),
    ],
)
def test_what_stays_together(text: str, expected: list[str]) -> None:
    assert clusters(text) == expected


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("It’s “normal” – really…", 'It\'s "normal" - really...'),
        ("0–10\u00a0points", "0-10 points"),
        ("• rest\t• walk", "- rest - walk"),
        ("so\u00adre\u200b", "sore"),
        ("man\u0303ana", "mañana"),
        ("¿Cómo está, Señor?", "¿Cómo está, Señor?"),
        ("ça va, Ωω", "ça va, Ωω"),
        ("3 × 10", "3 x 10"),
        (FAMILY, FAMILY),
        ("[a]{b}|€~^\\", "[a]{b}|€~^\\"),
    ],
)
def test_look_alikes_become_plain_and_letters_stay(typed: str, plain: str) -> None:
    assert to_gsm(typed) == plain


def test_one_curly_quote_no_longer_costs_a_second_part() -> None:
    typed = "Your muscle may be sore for a day or two. That’s expected. Use heat for 15 minutes and keep moving gently."

    assert count_segments(typed).segments == 2
    assert count_segments(to_gsm(typed)).segments == 1


@given(st.text(st.sampled_from(sorted(GSM))))
def test_a_gsm_text_is_left_alone_and_has_nothing_to_point_at(text: str) -> None:
    assert to_gsm(text) == text
    assert ucs2_characters(text) == []
    assert count_segments(text).encoding is Encoding.GSM_7


@given(st.text())
@example("e\u200b\u0301")
@example("×\u0307")
@example("…\u0338")
def test_making_a_text_plain_twice_changes_nothing_more(text: str) -> None:
    assert to_gsm(to_gsm(text)) == to_gsm(text)


@given(st.text(st.characters(codec=None) | st.sampled_from("áé€{\r\n\u0301\u200d\U0001f600\U0001f3fd"), max_size=400))
def test_parts_hold_the_text_and_clusters_keep_it(text: str) -> None:
    count = count_segments(text)

    assert "".join(clusters(text)) == text
    assert (count.encoding is Encoding.UCS_2) == bool(ucs2_characters(text))
    if count.encoding is Encoding.GSM_7:
        assert count.units == sum(2 if char in GSM_EXTENSION else 1 for char in text)
    else:
        assert count.units == len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert count.segments >= 1


def test_a_pathological_text_is_counted_in_linear_time() -> None:
    began = time.perf_counter()
    count_segments("e" + "\u0301" * 100_000)
    count_segments("\U0001f1fa" * 100_000)

    assert time.perf_counter() - began < 5
