"""Finds the 0-10 number a patient gives for soreness now among all the numbers a text may carry."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.number_sense import NumberSense
from reminders.core.understanding.text import Token

HIGHEST = 10
_ENDS = frozenset({".", "!", "?", ";"})
_TRAIL_ENDS = _ENDS | {",", "(", "but", "pero", ">", "and", "y", "so"}
_RANGE_MARKS = frozenset({"-", "/", "~"})
_OR = (["or"], ["o"], ["-"], ["to"])
_QUESTION_LEADS = frozenset(
    {"how", "what", "when", "where", "can", "could", "should", "do", "does", "is", "are", "will", "would", "may"}
    | {"puedo", "puede", "cuando", "cuanto", "cuantas", "cuantos", "donde", "debo", "hay", "son"}
)
_ABOUT_THE_SCORE = frozenset(
    {
        "normal",
        "ok",
        "okay",
        "bad",
        "good",
        "high",
        "too",
        "fine",
        "expected",
        "still",
        "sore",
        "soreness",
        "pain",
        "hurt",
    }
    | {"bueno", "malo", "alto", "dolor", "out", "/", "de"}
)
_MOST_WORDS_IN_RANGE = 4
_ARRIVED = {("down", "to"), ("up", "to"), ("bajo", "a"), ("subio", "a"), ("bajando", "a")}  # "started high, down to 2"
_LEFT = {(verb, "de") for verb in ("baje", "bajo", "bajado", "subi", "subio", "vengo", "venia")}  # "3, baje de 6"
_STORY_ENDS = frozenset({",", "lol", "haha", "jaja", "lmao"})
_TOLD = frozenset({"was", "were", "wasnt", "had", "from", "used", "fue", "era", "estaba", "estuvo", "tenia"})
_BEFORE_ONLY = frozenset({"from", "had", "tuve", "tenia"})  # these speak of the number after them


@dataclass(slots=True)
class Candidate:
    """A number that may be the score, over the tokens `first` up to but not including `last`."""

    value: float
    first: int
    last: int
    of_ten: bool = False
    is_old: bool = False
    is_weakly_old: bool = False


@dataclass(slots=True)
class ScoreReading:
    """The score, if any, the number that gave it, and whether a number over the top of the scale stands instead."""

    score: int | None = None
    used: list[Candidate] = field(default_factory=list)
    is_over_the_top: bool = False


def read_score(
    tokens: list[Token], lexicon: Lexicon, *, states: frozenset[int], is_anothers: Callable[[int], bool]
) -> ScoreReading:
    """Read the score.

    `states` are the places where words for a state start, which may follow a score as in "10 agony"; `is_anothers`
    tells of a place whether another person is spoken of.
    """
    return _Scorer(tokens, lexicon, states).reading(is_anothers)


class _Scorer:
    def __init__(self, tokens: list[Token], lexicon: Lexicon, states: frozenset[int]) -> None:
        self._norms = [token.norm for token in tokens]
        self._words = lexicon.words
        self._sense = NumberSense(tokens, lexicon, states)
        self._scale_ends: list[int] = []
        self._past, self._now = lexicon.words("number_past"), lexicon.words("number_now")

    def reading(self, is_anothers: Callable[[int], bool]) -> ScoreReading:
        """Take the highest of the numbers that are the patient's, on the scale, meant and now."""
        candidates = [each for each in self._candidates() if not is_anothers(each.first)]
        over = any(each.value > HIGHEST and each.of_ten for each in candidates)
        candidates = [each for each in candidates if each.value <= HIGHEST]
        self._mark_old(candidates)
        now = [each for each in self._corrected(candidates) if not each.is_old]
        if any(not each.is_weakly_old for each in now):
            now = [each for each in now if not each.is_weakly_old]
        if not now:
            return ScoreReading(is_over_the_top=over)
        highest = max(now, key=lambda each: each.value)
        return ScoreReading(score=math.floor(highest.value + 0.5), used=[highest], is_over_the_top=over)

    def _candidates(self) -> list[Candidate]:
        found: list[Candidate] = []
        at, refused_until = 0, 0
        while at < len(self._norms):
            number = self._sense.number_at(at)
            if number is None:
                at += 1
                continue
            value, after = number
            kind = self._sense.after_number(at, after)
            if kind.of_ten_until:
                found.append(Candidate(value, at, kind.of_ten_until, of_ten=True))
            elif (
                kind.is_score
                and not self._is_asked(at)
                and not (refused_until and self._norms[refused_until:at] in _OR)
            ):
                found.append(Candidate(value, at, after))
            elif not kind.is_score and value > 1:
                if found and self._norms[found[-1].last : at] in _OR:
                    found.pop()  # "2 or 3 a day"
                refused_until = after  # "at 4 or 5": what goes for the first goes for the second
            if kind.skip_to and not kind.of_ten_until:
                self._scale_ends.append(kind.skip_to)
            at = max(after, kind.of_ten_until, kind.skip_to)
        return self._joined_ranges(found)

    def _is_asked(self, at: int) -> bool:
        """Tell whether the number stands in a question that is not about itself: "how many a day, 2 or 3?"."""
        start = self._sentence_start(at)
        end = next((each for each in range(at, len(self._norms)) if self._norms[each] in _ENDS), len(self._norms))
        is_question = self._norms[start] in _QUESTION_LEADS and self._norms[end : end + 1] == ["?"]
        return is_question and _ABOUT_THE_SCORE.isdisjoint(self._norms[start:end])

    def _joined_ranges(self, found: list[Candidate]) -> list[Candidate]:
        """Join "4-5", "3 or 4", "between 3 and 5" into one with the upper end; "from 8 to 3" stays two."""
        joined: list[Candidate] = []
        for each in found:
            before = joined[-1] if joined else None
            if before is not None and before.value <= HIGHEST and self._is_range(before, each):
                upper, of_ten = max(before.value, each.value), before.of_ten or each.of_ten
                joined[-1] = Candidate(upper, before.first, each.last, of_ten=of_ten)
                continue
            if before is not None and self._has_moved(before, each):
                before.is_old = True
            joined.append(each)
        return joined

    def _is_range(self, one: Candidate, other: Candidate) -> bool:
        between = self._norms[one.last : other.first]
        if not between or len(between) > _MOST_WORDS_IN_RANGE or between == ["on"]:
            return False
        if any(word not in self._words("range_join") and word not in _RANGE_MARKS for word in between):
            return False
        lead = set(self._norms[max(0, one.first - 3) : one.first])
        if lead & self._words("range_lead"):
            return True
        if "and" in between or "y" in between:
            return False
        return not (("to" in between or "a" in between) and lead & self._words("moved_lead"))

    def _has_moved(self, one: Candidate, other: Candidate) -> bool:
        """Tell whether "8 > 3" or "from 8 to 3" stands there: the first number is then old."""
        between = set(self._norms[one.last : other.first])
        if ">" in between and between <= {">", "-"}:
            return True
        lead = set(self._norms[max(0, one.first - 3) : one.first])
        return bool(between) and between <= self._words("moved_join") and bool(lead & self._words("moved_lead"))

    def _mark_old(self, candidates: list[Candidate]) -> None:
        """Find out which numbers are then and which are now."""
        time_words = self._past | self._now
        is_trailing = bool(candidates) and time_words.isdisjoint(
            self._norms[self._sentence_start(candidates[0].first) : candidates[0].first]
        )
        for number, each in enumerate(candidates):
            start = max(self._sentence_start(each.first), candidates[number - 1].last if number else 0)
            start = max([start, *(end for end in self._scale_ends if end <= each.first)])  # "from 1 to 10, 7"
            end = candidates[number + 1].first if number + 1 < len(candidates) else len(self._norms)
            lead = self._norms[start : each.first]
            trail = _up_to(_TRAIL_ENDS, self._norms[each.last : end])
            if trail[:1] == ["-"] and not {"i", "im", "my", "yo"}.isdisjoint(trail[1:2]):
                trail = []  # "0 - I was so scared"
            if is_trailing and number:  # "8 yesterday 3 today": what directly follows a number belongs to it
                lead = lead[1:] if lead and lead[0] in time_words - {"from"} else _after_turn(lead)
            elif number:
                lead = _after_turn(lead)
            elif not trail:
                lead = self._after_story(lead)
            if not is_trailing and number + 1 < len(candidates):  # "was 8 now 3": what stands before belongs to it
                trail = trail[:1] if trail and trail[0] in self._past else []
            self._mark(each, lead, trail)

    def _after_story(self, lead: list[str]) -> list[str]:
        """Return what stands after the last comma, where only a story was told before: "had hiccups all night, 1"."""
        at = max((place for place, word in enumerate(lead) if word in _STORY_ENDS), default=-1)
        told = self._past.intersection(lead[: at + 1])
        return lead[at + 1 :] if at >= 0 and told <= _TOLD else lead

    def _mark(self, each: Candidate, lead: list[str], trail: list[str]) -> None:
        near = set(lead[-4:]) | set(trail[:3])
        each.is_weakly_old = bool(near & self._words("number_weak_past")) and near.isdisjoint(self._now)
        is_wished = bool(set(lead[-4:]) & self._words("not_now")) and self._now.isdisjoint(lead[-2:])
        is_denied = lead[-1:] in (["not"], ["no"]) or lead[-2:] in (["not", "a"], ["no", "un"], ["isnt", "a"])
        corrects = is_denied and self._follows_a_number(each.first - len(lead) - 1, lead)
        each.is_old = each.is_old or self._is_then(lead, trail) or is_wished or (is_denied and not corrects)

    def _follows_a_number(self, at: int, lead: list[str]) -> bool:
        """Tell whether nothing but words of correction stand after another number: "4 no 5", "2, wait no 4"."""
        while at > 0 and self._norms[at] in {",", "-"}:
            at -= 1
        return at >= 0 and self._sense.number_at(at) is not None and set(lead) <= self._words("correction") | {"no"}

    def _is_then(self, lead: list[str], trail: list[str]) -> bool:
        """Tell whether the words around a number put it into the past; the nearest word decides."""
        time_words = self._past | self._now
        following = next((word for word in trail[:3] if word in time_words and word not in _BEFORE_ONLY), "")
        if following:
            return following in self._past
        if tuple(lead[-2:]) in _ARRIVED:
            return False
        if tuple(lead[-2:]) in _LEFT:
            return True
        return next((word for word in reversed(lead) if word in time_words), "") in self._past

    def _corrected(self, candidates: list[Candidate]) -> list[Candidate]:
        """Drop each number that the next one corrects: "3 no wait 5", "4, I mean 6", "4 *5"."""
        kept = candidates[-1:]
        for each, following in zip(candidates[-2::-1], candidates[::-1], strict=False):
            between = self._norms[each.last : following.first]
            starred = "*" in between or self._norms[following.last : following.last + 1] == ["*"]
            plain_no = [word for word in between if word not in {",", "."}] == ["no"]
            asked_and_denied = "?" in between and "no" in between  # "9.5? no, it's a 9"
            if not (starred or plain_no or asked_and_denied or set(between) & self._words("correction")):
                kept.append(each)
        return kept

    def _sentence_start(self, at: int) -> int:
        while at > 0 and self._norms[at - 1] not in _ENDS:
            at -= 1
        return at


def _up_to(ends: frozenset[str], words: list[str]) -> list[str]:
    at = next((at for at, word in enumerate(words) if word in ends), len(words))
    return words[:at]


def _after_turn(words: list[str]) -> list[str]:
    """Return what stands after the last comma, "but" or "and"."""
    for at in range(len(words) - 1, -1, -1):
        if words[at] in {",", "but", "pero", "and", "y"}:
            return words[at + 1 :]
    return words
