"""Which of the things found are denied.

A negation reaches forward from its word ("no fever, chills or numbness", "sin fiebre ni escalofrios") as long as
nothing but a list of symptoms and words that carry no statement follow; a new statement ("..., my arm is numb"),
"but", or the end of the sentence ends it. It reaches back from an answer ("fever? no", "fever, chills: none of
that").
Whatever is uncertain is not denied: a missed sign costs more than a needless look.
"""

from itertools import pairwise

from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.matching import Match
from reminders.core.understanding.text import Token

_ENDS = frozenset({".", "!", "?", ";"})
_LIST_WORDS = frozenset({"or", "nor", "ni", "o", "u", "and", "y", "e", "&", "/", ",", ":", "(", "-"})
_OR_WORDS = frozenset({"or", "nor", "ni", "o", "u", "/"})
_TURNS = frozenset(
    {"besides", "except", "apart", "aside", "excepto", "salvo", "but", "pero", "now", "ahora", "just", "only", "solo"}
)
_CONTRASTS = frozenset({"but", "pero", "though", "although", "aunque"})
_ONLY = frozenset({"nomas", "only", "solamente", "though", "tho"})
_CONCEPTS = frozenset({"flag", "sore", "mild", "worse"})
_STRONG_AFTER = frozenset({"is", "are", "wont", "keeps", "started", "came", "esta", "sigue", "empezo"})


def negated_matches(tokens: list[Token], matches: list[Match], sentence: list[int], lexicon: Lexicon) -> set[Match]:
    """Return the matches that the reply denies."""
    return _Denials(tokens, matches, sentence, lexicon).found()


class _Denials:
    def __init__(self, tokens: list[Token], matches: list[Match], sentence: list[int], lexicon: Lexicon) -> None:
        self._tokens, self._sentence, self._lexicon = tokens, sentence, lexicon
        self._all = matches
        self._concepts = [match for match in matches if match.means in _CONCEPTS]
        self._starting: dict[int, list[Match]] = {}
        for match in self._concepts:
            self._starting.setdefault(match.first, []).append(match)
        self._clause = lexicon.words("clause")
        self._subject = lexicon.words("subject")
        self._transparent = lexicon.words("transparent") | lexicon.light
        self._terminators = lexicon.words("terminators")
        self._joining = lexicon.words("joining")
        self._symptoms = lexicon.words("symptom")

    def found(self) -> set[Match]:
        """Return what is denied, forward and backward."""
        pseudo = [match for match in self._all if match.means == "pseudo"]
        taken = [match for match in self._concepts if match.means == "flag"] + pseudo
        denied: set[Match] = set()
        for trigger in self._all:
            if any(sign.first < trigger.first < sign.last for sign in taken):
                continue  # "I pinch my leg y no siento nada" is the sign itself
            if trigger.means == "deny" and not any(trigger.overlaps(other) for other in taken):
                denied |= self._forward(trigger)
            elif trigger.means == "deny_answer":
                denied |= self._backward(trigger)
            elif trigger.means == "deny_all":
                denied |= self._backward_all(trigger)
        return denied

    def _forward(self, trigger: Match) -> set[Match]:
        """Walk from a negation and collect the list it denies."""
        at = trigger.last
        denied: set[Match] = set()
        # A nought may be the score: "0 numb hand" denies nothing, "0 fever" does.
        items, separator = 0, ""
        if self._tokens[trigger.first].norm == "0":
            if at not in self._starting:
                return set()
            items, separator = 1, ","
        permissive = self._has_or(at)
        while at < len(self._tokens):
            word = self._tokens[at].norm
            here = [match for match in self._starting.get(at, ()) if not self._turns(match)]
            if not here and at in self._starting:
                break
            if here:
                longest = max(here, key=lambda match: match.last)
                if items and not (permissive and separator) and self._is_statement(longest, separator):
                    break
                if self._lasted_until(longest.last) or (items and self._is_the_only(longest.last, separator)):
                    break
                denied.update(self._within(longest))
                items, separator, at = items + 1, "", longest.last
                continue
            if word in _ENDS or word in self._terminators:
                break
            if word in _LIST_WORDS:
                if not items and word not in {"or", "o", "-"} and not self._opens_list(at):
                    break
                separator = word
            elif word in self._symptoms:
                items, separator = items + 1, ""
            elif self._stops(at, items, separator):
                break
            at += 1
        return denied

    def _opens_list(self, at: int) -> bool:
        """Tell whether a bare list follows: "no: fever, chills", but not "no: I can't breathe"."""
        following = self._tokens[at + 1].norm if at + 1 < len(self._tokens) else ""
        return self._tokens[at].norm in {":", "("} and following not in self._subject | self._clause

    def _within(self, longest: Match) -> set[Match]:
        """Return what starts within a denied match, but for what runs on into another statement."""
        return {
            match for match in self._concepts if longest.first <= match.first < longest.last and not self._turns(match)
        }

    def _turns(self, match: Match) -> bool:
        """Tell whether the match runs over a turn: nothing "hurts besides my chest", no "pain and now my chest"."""
        words = [token.norm for token in self._tokens[match.first : match.last]]
        if any(word in _TURNS for word in words[1:]):
            return True
        return any(word in {"and", "y", ","} and after in self._subject for word, after in pairwise(words))

    def _lasted_until(self, at: int) -> bool:
        """Tell whether "until this morning" follows: it was not there, and is now."""
        return any(token.norm in {"until", "till", "hasta"} for token in self._tokens[at : at + 3])

    def _is_the_only(self, at: int, separator: str) -> bool:
        """Tell whether the last of a list is what there is: "no pus, no blood, calentura nomas"."""
        words = [token.norm for token in self._tokens[at : at + 2]]
        return separator not in _OR_WORDS and ((words[:1] != [] and words[0] in _ONLY) or words == ["nada", "mas"])

    def _stops(self, at: int, items: int, separator: str) -> bool:
        """Tell whether a word that is neither a symptom nor part of a list ends what is denied."""
        word = self._tokens[at].norm
        if items and not separator and word in self._subject and self._tokens[at - 1].norm not in self._joining:
            return True
        if separator and separator not in _OR_WORDS and word in self._clause | self._subject:
            return True
        return word not in self._transparent and not (items and separator in _OR_WORDS)

    def _is_statement(self, match: Match, separator: str) -> bool:
        """Tell whether a match after the first of a list says something of its own: "no fever, my arm is numb"."""
        if separator in _OR_WORDS:
            return False
        words = {token.norm for token in self._tokens[match.first : match.last]}
        following = self._tokens[match.last].norm if match.last < len(self._tokens) else ""
        return not words.isdisjoint(self._clause | self._subject) or following in _STRONG_AFTER

    def _has_or(self, at: int) -> bool:
        """Tell whether "or" comes before the sentence ends or a new statement starts."""
        for place, token in enumerate(self._tokens[at:], at):
            is_subject = token.norm in self._subject and not self._is_spanish_have(place)
            if token.norm in _ENDS or token.norm in self._terminators or is_subject:
                return False
            if token.norm in {"or", "nor", "ni", "o", "u"}:
                return True
        return False

    def _is_spanish_have(self, at: int) -> bool:
        """Tell whether "he" is the "have" of "no he tenido fiebre"."""
        following = self._tokens[at + 1].norm if at + 1 < len(self._tokens) else ""
        return self._tokens[at].norm == "he" and following.endswith(("ado", "ido", "sto", "cho"))

    def _backward(self, answer: Match) -> set[Match]:
        """Deny the question or bare item directly before an answer: "fever? no", "chest pain: none"."""
        first = self._start_of_item(answer.first - 1)
        words = {token.norm for token in self._tokens[first : answer.first]}
        asked = answer.first > 0 and self._tokens[answer.first].norm == "?"
        if self._tokens[answer.first].norm == "nada" and not words.isdisjoint({"no", "sin", "a", "por", "para"}):
            return set()  # "pulso en 150 sin hacer nada"
        is_statement = not words.isdisjoint(self._clause | self._subject) and not asked
        is_bare = any(match.first == first and match.last == answer.first for match in self._concepts)
        if is_statement and not is_bare:
            return set()
        return {match for match in self._concepts if first <= match.first and match.last <= answer.last}

    def _start_of_item(self, at: int) -> int:
        while at >= 0:
            word = self._tokens[at].norm
            if word in _ENDS or word in self._terminators or word == ",":
                return at + 1
            at -= 1
        return 0

    def _backward_all(self, answer: Match) -> set[Match]:
        """Deny the whole list before "none of that", back over questions and bare items, not over statements."""
        at = answer.first - 1
        while at >= 0 and self._tokens[at].norm in _ENDS | _LIST_WORDS:
            at -= 1
        denied: set[Match] = set()
        if at >= 0 and self._tokens[at].norm in _CONTRASTS:
            return denied  # "hurts bad but none of that"
        while at >= 0:
            first = at
            while first > 0 and self._tokens[first - 1].norm not in _ENDS | self._terminators:
                first -= 1
            ended_by = self._tokens[at + 1].norm if at + 1 < len(self._tokens) else ""
            inside = [match for match in self._concepts if first <= match.first <= at]
            words = {token.norm for token in self._tokens[first : at + 1]}
            if denied and ended_by != "?" and not words.isdisjoint(self._clause | self._subject):
                break
            if not inside and denied:
                break
            denied.update(inside)
            at = first - 2
        return denied
