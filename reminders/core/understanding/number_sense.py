"""Tells numbers that may be a score from pills, hours, phones, dates and digits used as letters."""

from dataclasses import dataclass

from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.text import Token

_OF = frozenset({"/", "of", "de", "over", "sobre", "outta"})
_MOVED = frozenset({"went", "gone", "jumped", "shot", "paso", "pasa", "subio", "brinco", "fue", "dropped", "bajo"})
_SCALE = frozenset({"scale", "escala"})
HIGHEST_OF_SCALE = 10
_PHONE_DIGITS = 5
_SHORTEST_PLURAL = 4
_BEFORE_WHOLE = frozenset({"a", "un", "the", "possible", "posible", "maximo", "max", "total"})
# After these "2" is no "to", and "4" no "for": no deed and no thing follows.
_NO_DEEDS = frozenset(
    {"", ".", ",", "!", "now", "/", "today", "but", "out", "?", "took", "had", "did", "was", "slept", "got", "went"}
    | {"still", "all", "with", "after", "since", "just", "only", "max", "tops", "and", "y", "pero", "on", "at"}
)
_EACH = frozenset({"a", "per", "al", "por", "each", "every", "cada"})
_SPANS = frozenset({"day", "week", "hour", "night", "month", "dia", "semana", "hora", "noche", "mes"})
_NO_PLURALS = frozenset(
    {"theres", "feels", "seems", "keeps", "looks", "does", "this", "plus", "unless", "always", "besides"}
)
_TOO = frozenset({"tired", "busy", "lazy", "funny", "late", "early", "soon", "much", "far", "cool", "good", "many"})
_WORDS_AFTER_OPENING = 2
_CLOCK_PARTS = frozenset({":"})
_ONES = frozenset({"one", "uno"})
_ZEROS = frozenset({"0", "00", "zero", "cero", "ceros", "zeros", "0.0"})


@dataclass(frozen=True, slots=True)
class AfterNumber:
    """What a number turned out to be: "N of ten" up to a token, a score on its own, or neither."""

    of_ten_until: int = 0
    is_score: bool = False
    skip_to: int = 0


class NumberSense:
    """Reads the numbers of one reply."""

    def __init__(self, tokens: list[Token], lexicon: Lexicon, states: frozenset[int]) -> None:
        self._tokens, self._numbers = tokens, lexicon.numbers
        self._units = lexicon.words("unit")
        self._bad_lead = lexicon.words("not_score_lead")
        self._follow = lexicon.words("score_follow") | lexicon.light | lexicon.block
        self._words = lexicon.words
        self._states = states
        self._pain = lexicon.words("pain") | {"stiffness", "tenderness", "tightness", "rigidez"}
        self._only_number = sum(1 for token in tokens if token.kind != "punct") == 1
        self._has_date_words = any(token.norm in lexicon.words("date_words") for token in tokens)

    def number_at(self, at: int) -> tuple[float, int] | None:
        """Return the number that starts at this token and the index after it, halves included; None if none does."""
        token = self._tokens[at]
        if token.kind == "number":
            if token.norm.count(".") + token.norm.count(",") > 1 or len(token.norm) > 12:
                return (1e9, at + 1)
            value = float(token.norm.replace(",", "."))
        elif token.norm in self._numbers:
            value = float(self._numbers[token.norm])
        else:
            return None
        return self._with_half(value, at + 1)

    def after_number(self, at: int, after: int) -> AfterNumber:
        """Decide what the number over the tokens `at` up to `after` is."""
        scale_until = self._scale(at, after)
        if scale_until:
            return AfterNumber(skip_to=scale_until)
        of = self._of(at, after)
        if of is not None:
            return of
        return AfterNumber(is_score=not self._is_phone(at, after) and self._may_be_score(at, after))

    def _with_half(self, value: float, after: int) -> tuple[float, int]:
        words = self._norms(after, after + 3)
        if words[:3] in (["and", "a", "half"], ["y", "un", "medio"]):
            return value + 0.5, after + 3
        if words[:2] in (["y", "medio"], ["y", "media"], ["and", "half"]):
            return value + 0.5, after + 2
        if words == ["1", "/", "2"] and value == int(value):
            return value + 0.5, after + 3
        if words[:1] == ["point"] and len(words) > 1 and words[1].isdigit():
            return value + float(f"0.{words[1]}"), after + 2
        if words[:1] == [".5"]:
            return value + 0.5, after + 1
        return value, after

    def _scale(self, at: int, after: int) -> int:
        """Return where "a scale of 0 to 10" or "0-10 scale" ends; 0 if the number does not start one."""
        if self._tokens[at].norm not in {"0", "1", "zero", "one", "cero", "uno"}:
            return 0
        ten = self.number_at(after + 1) if after + 1 < len(self._tokens) else None
        if self._word(after) not in {"to", "-", "a", "al", "through"} or ten is None or ten[0] != HIGHEST_OF_SCALE:
            return 0
        around = self._norms(max(0, at - 4), at) + self._norms(ten[1], ten[1] + 1)
        if not _SCALE.isdisjoint(around):
            return ten[1]
        return ten[1] if _MOVED.isdisjoint(around) and self._numbers_beside(at, ten[1]) else 0

    def _numbers_beside(self, first: int, last: int) -> bool:
        """Tell whether another number is there to be the score: "de 0 a 10 un 6"."""
        return any(self.number_at(at) is not None for at in range(len(self._tokens)) if not first <= at < last)

    def _of(self, at: int, after: int) -> AfterNumber | None:
        """Read "7/10", "7 out of 10", "7 de 10"; another whole than ten makes it no score."""
        end = after
        if self._norms(end, end + 1) == ["ish"]:
            end += 1
        if self._norms(end, end + 2) == ["out", "of"]:
            end += 1
        if self._word(end) not in _OF:
            return None
        whole_at = end + 1
        while self._word(whole_at) in _BEFORE_WHOLE or (whole_at > end + 1 and self._word(whole_at) == "de"):
            whole_at += 1
        whole = self.number_at(whole_at) if whole_at < len(self._tokens) else None
        if whole is None:
            is_of_pain = self._word(whole_at) in self._pain  # "3 de dolor"
            return None if is_of_pain or self._word(end) in {"/", "over"} else AfterNumber(skip_to=end + 1)
        if whole[0] == 10 and not self._is_praise(at, whole[1]) and not self._is_date(at, end):
            if self._word(whole[1]) == "/":
                return AfterNumber(skip_to=whole[1] + 2)
            return AfterNumber(of_ten_until=whole[1])
        value = self.number_at(at)
        if self._word(end) == "/" and value and value[0] + 1 == whole[0] <= 10 and not self._has_date_words:
            return AfterNumber(is_score=not self._is_date(at, end) and self._word(whole[1]) not in self._units)
        return AfterNumber(skip_to=whole[1] + (2 if self._word(whole[1]) == "/" else 0))

    def _may_be_score(self, at: int, after: int) -> bool:
        before, following = self._word(at - 1), self._word(after)
        token = self._tokens[at]
        if self._norms(after, after + 3) == ["mas", "o", "menos"]:
            return True
        if self._is_not_score(at, after, before, following):
            return False
        if following in self._pain and token.norm in _ZEROS:
            return True
        if following in {"of", "de"} and self._word(after + 1) in self._pain:
            return True
        if token.norm in _ZEROS and following in self._words("zero_of"):
            return False
        if token.norm in _ONES and not self._only_number:
            ends = following in {"", ".", ",", "!", "?"} or following in {
                "today",
                "now",
                "hoy",
                "ahora",
                "nomas",
                "gracias",
            }
            return ends and (before in self._words("one_lead") or at == 0)
        if following == "" or (after < len(self._tokens) and self._tokens[after].kind in {"punct", "number"}):
            return True
        if (
            following.endswith(("ly", "mente"))
            or following in self._follow
            or following in self._numbers
            or after in self._states
        ):
            return True
        return before in self._words("strong_lead") or self._opens(at, after)

    def _opens(self, at: int, after: int) -> bool:
        """Tell whether the number opens the reply, and what follows is nothing that it counts: "0 killer job"."""
        following = self._tokens[after] if after < len(self._tokens) else None
        if at or following is None or following.kind != "word":
            return False
        if self._tokens[at].norm in {"1", *_ONES} and f"{following.norm}s" in self._units:
            return False  # "1 thing"
        if self._tokens[at].norm == "2" and following.norm in _TOO:
            return False
        is_plural = following.norm.endswith("s") and len(following.norm) >= _SHORTEST_PLURAL
        is_counted = is_plural and following.norm not in _NO_PLURALS
        return not is_counted and len(self._tokens) - after >= _WORDS_AFTER_OPENING

    def _is_not_score(self, at: int, after: int, before: str, following: str) -> bool:
        token = self._tokens[at]
        if before == "un" and following in {"yo", "mas"}:  # "un 5 mas o menos", "un 2 yo creo"
            return False
        if following in _EACH and self._word(after + 1) in _SPANS:  # "I get 3 a day"
            return True
        if following in _SCALE or (following in {"point", "pt"} and self._word(after + 1) in _SCALE):
            return True
        if following in self._units and not (following in {"x", "c", "f", "k", "in"} and not self._glued(after)):
            return True
        if following in {"%", "°", "$", "'"} or before in {"$", "+"} or before in self._bad_lead:
            return True
        if following in {"of", "de"} and self._word(after + 1) not in self._pain:
            return True
        if before == "of" and self._word(at - 2) in self._units:  # "3 sets of 10"
            return True
        if following in _CLOCK_PARTS and self._is_number(after + 1) and self._glued(after):
            return True
        if before in _CLOCK_PARTS and self._is_number(at - 2) and self._glued(at):
            return True
        if before in self._words("month") or (following in self._words("month") and following != "may"):
            return True
        if before == "at" and self._word(at - 2) not in self._words("clock_at_ok") and at != 1:
            return True
        place = at - 1
        while self._word(place) in {"about", "around", "like", "maybe", "almost", "approximately"}:
            place -= 1
        if self._word(place) in self._bad_lead:
            return True
        if before in {"el", "del"} and self._has_date_words:  # "mi cita es el 8"
            return True
        if before == "las" or (before in {"at", "by"} and following in {"and", "for"} and self._word(at - 2) == "you"):
            return True
        if self._is_praise(at, after):
            return True
        if before == "-" and self._glued(at) and self._word(at - 2) == "covid":
            return True
        return self._is_letters(token, at, after, before, following)

    def _is_letters(self, token: Token, at: int, after: int, before: str, following: str) -> bool:
        """Tell whether a digit stands for a word: "2" for "to", "4" for "for"."""
        if token.norm not in {"2", "4"} or token.kind != "number":
            return False
        if following == "night" and self._glued(after):
            return True
        if following in {"nite", "morrow", "ever", "u", "n", "got", "b"}:
            return True
        if at == 0 and following in {"my", "mi"} and self._word(after + 1) not in self._words("date_words"):
            return False  # "4 my kid was up all night"
        if token.norm == "2" and self._word(after + 1) == "to" and not self._glued(at):
            return True  # "2 sore to move"
        meant = "to" if token.norm == "2" else "for"
        after_words, before_words = self._words(f"{meant}_after"), self._words(f"{meant}_before")
        if following in after_words and not self._is_much_better(after):
            return before not in {"a", "its", "level", "about", "still", "at", ""} or token.norm == "4"
        if before in before_words and following in {"now"} and before in {"bye", "all", "good", "just", "out"}:
            return True
        return before in before_words and following not in _NO_DEEDS

    def _is_much_better(self, after: int) -> bool:
        compared = {"better", "mejor", "neck", "shoulder", "back", "same"}
        return self._word(after) in {"much", "my", "the", "all"} and self._word(after + 1) in compared

    def _is_phone(self, at: int, after: int) -> bool:
        """Tell whether the number is part of a run of digits as phone numbers are written."""
        digits = len(self._tokens[at].norm) if self._tokens[at].kind == "number" else 0
        if digits >= _PHONE_DIGITS:
            return True
        joined, place = digits, after
        while self._word(place) in {"-", ".", ")"} and self._is_number(place + 1):
            joined += len(self._word(place + 1))
            place += 2
        place = at
        while self._word(place - 1) in {"-", ".", "(", ")"} and self._is_number(place - 2) and place >= 2:
            joined += len(self._word(place - 2))
            place -= 2
        return joined > 6

    def _is_praise(self, at: int, after: int) -> bool:
        around = self._norms(max(0, at - 2), at) + self._norms(after, after + 4)
        for word in around:
            if word in {".", ","} and around.index(word) > 1:
                break
            if word in self._words("praise"):
                return True
        return False

    def _is_date(self, at: int, slash: int) -> bool:
        return self._word(slash) == "/" and self._word(at - 1) in self._words("date_lead") and self._has_date_words

    def _is_number(self, at: int) -> bool:
        return 0 <= at < len(self._tokens) and self._tokens[at].kind == "number"

    def _glued(self, at: int) -> bool:
        return 0 <= at < len(self._tokens) and self._tokens[at].glued

    def _word(self, at: int) -> str:
        return self._tokens[at].norm if 0 <= at < len(self._tokens) else ""

    def _norms(self, first: int, last: int) -> list[str]:
        return [token.norm for token in self._tokens[first:last]]
