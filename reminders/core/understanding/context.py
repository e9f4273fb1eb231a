"""Decides for each thing that was found whether the reply says it of the patient, now, as a fact.

The classes are those of NegEx and ConText (triggers, pseudo-triggers, terminators; hypothetical, historical, about
another person), with scopes made for texts of a few words: see `negation`.
"""

from enum import StrEnum
from itertools import pairwise

from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.matching import Match
from reminders.core.understanding.negation import negated_matches
from reminders.core.understanding.reading import Flag
from reminders.core.understanding.text import Token
from reminders.core.understanding.titles import title_places

_PLACES = frozenset({"on", "in", "of", "at", "from", "under", "behind", "near", "around", "en", "de", "por", "sobre"})
_NOT_BACK = frozenset(
    {"no", "not", "nothing", "none", "nada", "fine", "ok", "good", "bien", "all", "never", "great"}
    | {"nunca", "jamas", "ni", "wonderful", "marvelous", "perfect", "perfecto", "perfecta", "doy", "different"}
)
_ENDS = frozenset({".", "!", "?", ";"})
_CLOSE = 2
# Signs of this moment; with one of these words it is an old story, a habit, a question or also about the writer.
_SEEN_BY_OTHERS = frozenset({Flag.NEURO, Flag.SEVERE_PAIN})
_TOLD_BY_OTHERS = frozenset({Flag.BREATHING, Flag.CHEST_PAIN})
_NOT_OF_NOW = frozenset(
    {"?", "i", "im", "ive", "id", "ill", "me", "mine", "yo", "tengo", "estoy", "siento", "was", "were", "had", "last"}
    | {"ago", "used", "gets", "always", "sometimes", "usually", "often", "siempre", "suele", "veces", "pasado", "anos"}
    | {"years", "year", "si", "if", "when", "cuando", "tuvo", "dio", "fue", "era", "tenia", "perfume", "dog", "cat"}
)
_BESIDE = frozenset({"of", "to", "behind", "beside", "with", "before", "near", "by", "after"})  # "ahead of me in line"
_TURNS_TO_NOW = frozenset({"this", "now", "today", "esta", "este", "ahora", "hoy"})
_ASKS = frozenset({"is", "are", "can", "could", "should", "do", "does", "will", "would", "puedo", "es", "debo"})
_ANIMAL_OR_PERSON = "other.person"
_FAINT, _BREATHING_FINE = "idiom.faint", "idiom.breathing_fine"
_HARD_TO_BREATHE = frozenset({"breathing.hard", "breathing.hard_es", "breathing.not_well"})
_POINTS = frozenset({"it", "its", "this", "theres", "there", "esto", "esta", "hay"})
_CONDITIONS = frozenset({"if", "when", "unless", "case", "si", "cuando", "suppose"})
_ABOUT_SORENESS, _WHOLE_SENTENCE = "hypothetical.soreness", "hypothetical.whole"
# A figure of speech takes a sign or a state away, not what is said around it.
_NEVER_MASKED = frozenset({"idiom", "self_caused", "historical"})
_GENERAL = "hypothetical.general"
# What each cause explains away.
_CAUSED = {
    "self_caused.neuro": {"neuro.numb", "neuro.part_dead"},
    "self_caused.breathing": {
        "breathing.hard",
        "breathing.hard_es",
        "breathing.mention",
        "breathing.bare",
        "breathing.air_short",
    },
    "self_caused.chest": {"chest.pain", "chest.pressed", "chest.mention"},
    "self_caused.dentist": {"neuro.numb", "neuro.part_dead", "neuro.brain", "neuro.head", "neuro.weak"},
    "self_caused.crying": {"allergic.swelling", "allergic.face"},
    "self_caused.heart": {"other.heart", "other.heart_any"},
    "self_caused.effort": {"neuro.weak", "neuro.part_fails"},
    "self_caused.infection": {"infection.skin", "infection.chills", "infection.site", "infection.hot_body"},
}


class Status(StrEnum):
    """How a thing stands in the reply."""

    PRESENT = "present"
    NEGATED = "negated"
    HYPOTHETICAL = "hypothetical"
    HISTORICAL = "historical"
    OTHER = "other"
    SELF_CAUSED = "self_caused"


class Context:
    """The sentences, clauses and triggers of one reply."""

    def __init__(self, tokens: list[Token], matches: list[Match], lexicon: Lexicon) -> None:
        idioms = [match for match in matches if match.means == "idiom"]
        self.tokens = tokens
        self.sentence = _sentences(tokens)
        titles = title_places(tokens, self.sentence, lexicon.words("media"))
        self.matches = [
            match
            for match in matches
            if match.means in _NEVER_MASKED
            or not (any(_masks(idiom, match) for idiom in idioms) or titles.issuperset(range(match.first, match.last)))
        ]
        self._lexicon = lexicon
        self._patient = lexicon.words("patient")
        self._comparing = lexicon.words("comparing")
        self._third = lexicon.words("third_person")
        self._negated = negated_matches(tokens, self.matches, self.sentence, lexicon)
        self._others = [other for other in self.of("other") if not self._is_simile(other)]
        self._is_proxy = bool(self.of("proxy")) or not self._others
        self._seen_on_relative = self._signs_seen_on_relative()

    def _signs_seen_on_relative(self) -> frozenset[Flag]:
        """Return the signs that are told of the patient where a text begins with a relative: "Dad can't talk right"."""
        relatives = self.of("relative")
        if not relatives or not _NOT_OF_NOW.isdisjoint(token.norm for token in self.tokens):
            return frozenset()
        return _SEEN_BY_OTHERS if relatives[0].rule == "relative.of_mine" else _SEEN_BY_OTHERS | _TOLD_BY_OTHERS

    def of(self, *means: str) -> list[Match]:
        """Return the matches that mean one of these, in the order of the text."""
        return [match for match in self.matches if match.means in means]

    def status(self, match: Match) -> Status:
        """Return how this match stands in the reply."""
        if match in self._negated:
            return Status.NEGATED
        has_it_too = any(match.first < too.first and not self._is_score_or_denial(too) for too in self.of("me_too"))
        if not has_it_too and self._is_hypothetical(match) and Flag.SELF_HARM not in match.flags:
            return Status.HYPOTHETICAL
        if not has_it_too:
            if self._is_historical(match):
                return Status.HISTORICAL
            if self._is_about_another(match):
                return Status.OTHER
        if self._is_self_caused(match):
            return Status.SELF_CAUSED
        return Status.PRESENT

    def _is_score_or_denial(self, too: Match) -> bool:
        """Tell whether the patient's own is a number or nothing: "worst pain of her life. Mine's a 2"."""
        following = _up_to_end([token.norm for token in self.tokens[too.last : too.last + 4]])
        kinds = {token.kind for token in self.tokens[too.last : too.last + len(following)]}
        return "number" in kinds or not {"not", "doesnt", "isnt", "didnt", "fine"}.isdisjoint(following)

    def same_sentence(self, one: Match, other: Match) -> bool:
        """Tell whether both start in the same sentence."""
        return self.sentence[one.first] == self.sentence[other.first]

    def _is_hypothetical(self, match: Match) -> bool:
        real = self.of("real")
        for trigger in self.of("hypothetical"):
            if not self.same_sentence(trigger, match) or self._is_likened(trigger):
                continue
            if trigger.rule == _GENERAL and (self._names_the_patient(match) or self._on_the_patient(match)):
                continue
            if trigger.rule == _ABOUT_SORENESS:
                if match.means == "flag":
                    continue
            elif any(self._is_real(plain, trigger, match) for plain in real):
                continue
            if trigger.rule == _WHOLE_SENTENCE:
                return True
            if trigger.first <= match.first and not self.is_broken(trigger.last, match.first):
                return True
        return False

    def _is_likened(self, trigger: Match) -> bool:
        """Tell whether it is a likeness and no condition: "como si me pisaran el pecho", "as if I had no arm"."""
        before = [token.norm for token in self.tokens[max(0, trigger.first - 2) : trigger.first]]
        word = self.tokens[trigger.first].norm
        affirms = before[-2:] == ["lo", "que"] or before[-1:] in (["eso"], ["ahi"], ["aqui"])  # "lo que si me duele"
        return (*before[-1:], word) in {("como", "si"), ("as", "if"), ("like", "if")} or (word == "si" and affirms)

    def _is_real(self, plain: Match, trigger: Match, match: Match) -> bool:
        """Tell whether a question is about what the patient has: "curious why my hand is numb"."""
        is_close = trigger.first <= plain.first and 0 <= match.first - plain.last <= _CLOSE
        return plain.overlaps(trigger) or plain.overlaps(match) or is_close

    def _names_the_patient(self, match: Match) -> bool:
        return any(token.norm in self._patient for token in self.tokens[match.first : match.last])

    def is_broken(self, first: int, last: int) -> bool:
        """Tell whether a new statement starts between two places: "..., because my arm is numb"."""
        words = [token.norm for token in self.tokens[first:last]]
        starts = self._lexicon.words("statement_start")
        for at, word in enumerate(words):
            if word in starts:
                return True
            followed = words[at + 1] if at + 1 < len(words) else ""
            if word in {",", "and", "y"} and followed in self._patient:
                return True
            if word == "," and followed in _POINTS and words[0] not in _CONDITIONS:
                return True  # "what do I do, it won't stop bleeding"
        return False

    def _is_historical(self, match: Match) -> bool:
        terminators = self._lexicon.words("terminators")
        for trigger in self.of("historical"):
            if not self.same_sentence(trigger, match):
                continue
            between = range(min(trigger.last, match.last), max(trigger.first, match.first))
            if any(self.tokens[at].norm in terminators for at in between):
                continue
            if self._turns_to_now(trigger.last, match.first) or self._only_compares(trigger):
                continue
            if any(self._is_back(again, trigger, match) for again in self.of("again")):
                continue
            return True
        return False

    def _turns_to_now(self, first: int, last: int) -> bool:
        """Tell whether what follows the old story is of today: "in 2015, and this pressure is the same"."""
        words = [token.norm for token in self.tokens[first : last + 1]]
        return any(word in {",", "and", "y"} and after in _TURNS_TO_NOW for word, after in pairwise(words))

    def _is_simile(self, other: Match) -> bool:
        """Tell whether the other is a figure of speech or the patient: "sick as a dog", "I'm a tough guy"."""
        before = [token.norm for token in self.tokens[max(0, other.first - 2) : other.first]]
        is_self = before[-1:] in (["im"], ["am"], ["soy"])
        return other.rule == _ANIMAL_OR_PERSON and (is_self or not {"as", "like", "como"}.isdisjoint(before))

    def _only_compares(self, trigger: Match) -> bool:
        """Tell whether the past is only what now is compared with: "weaker than before the session"."""
        return trigger.first > 0 and self.tokens[trigger.first - 1].norm in self._comparing

    def _is_back(self, again: Match, trigger: Match, match: Match) -> bool:
        """Tell whether what was long ago is here again; "but now nothing" says the contrary."""
        following = set(_up_to_end([token.norm for token in self.tokens[again.last : again.last + 3]]))
        if not self.same_sentence(again, match) or again.first < trigger.first:
            return False
        before = [token.norm for token in self.tokens[max(0, again.first - 3) : again.first]]
        beside = self.tokens[max(0, again.first - 1) : again.last + 1]
        if any(token.kind == "number" for token in beside):
            return False  # "hoy 1" is the score of today
        return _NOT_BACK.isdisjoint(following) and _NOT_BACK.isdisjoint(before) and _ASKS.isdisjoint(before)

    def _is_about_another(self, match: Match) -> bool:
        if self._is_proxy or match.rule.endswith(".ambulance"):
            return False
        if not match.flags.isdisjoint(self._seen_on_relative):
            return False
        if self._names_the_patient(match):
            return any(other.first <= match.first < other.last for other in self._others)
        other_at = {at: other for other in self._others for at in range(other.first, other.last)}
        at = match.first
        while at > 0:
            at -= 1
            word = self.tokens[at].norm
            if word in _ENDS:
                return False
            if at in other_at:
                is_told = self._reported(other_at[at].last, match) or self._tells(other_at[at])
                return not is_told and not self._on_the_patient(match)
            if word in self._third:
                is_named = any(other.first < at for other in self._others)  # else it is the patient, told by another
                return is_named and not self._on_the_patient(match)
            if word in self._patient and not (word in {"me", "mine"} and at and self.tokens[at - 1].norm in _BESIDE):
                return False
        return False

    def _reported(self, after: int, match: Match) -> bool:
        return any(after <= report.first < match.first for report in self.of("report"))

    def _tells(self, other: Match) -> bool:
        """Tell whether the other stands behind the saying: "dice mi esposo que tenia fiebre"."""
        following = self.tokens[other.last].norm if other.last < len(self.tokens) else ""
        return following in {"que", "q"} and any(report.last == other.first for report in self.of("report"))

    def _on_the_patient(self, match: Match) -> bool:
        """Tell whether "... on my arm" follows."""
        words = [token.norm for token in self.tokens[match.last - 1 : match.last + 4]]
        return any(place in _PLACES and whose in {"my", "mi", "mis"} for place, whose in pairwise(words))

    def _is_self_caused(self, match: Match) -> bool:
        if match.means != "flag" or any(self.same_sentence(lasting, match) for lasting in self.of("lasting")):
            return False
        return any(
            match.rule in _CAUSED[cause.rule] and self.same_sentence(cause, match) for cause in self.of("self_caused")
        )


def _up_to_end(words: list[str]) -> list[str]:
    return words[: next((at for at, word in enumerate(words) if word in _ENDS), len(words))]


def _masks(idiom: Match, match: Match) -> bool:
    """Tell whether an idiom takes a match away; "not breathing great" is more than "breathing great"."""
    if match.means == "flag" and match.first <= idiom.first and idiom.last < match.last:
        return False  # the sign is told around it: "bleeding all week and it won't stop"
    is_wider = match.first < idiom.first and (idiom.last <= match.last or match.rule in _HARD_TO_BREATHE)
    if idiom.rule == _BREATHING_FINE and is_wider:
        return False
    if idiom.rule == _FAINT and match.means != "flag":
        return False
    return idiom.overlaps(match)


def _sentences(tokens: list[Token]) -> list[int]:
    numbers, current = [], 0
    for token in tokens:
        numbers.append(current)
        if token.kind == "punct" and token.norm in _ENDS:
            current += 1
    return numbers
