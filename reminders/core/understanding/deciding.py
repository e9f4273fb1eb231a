"""Reads a reply: the table that turns what was found into one intent, in the order of precedence."""

from collections.abc import Iterable
from dataclasses import replace

from reminders.core.understanding.context import Context, Status
from reminders.core.understanding.evidence import gather_evidence
from reminders.core.understanding.keywords import keyword_intent
from reminders.core.understanding.language import guess_language
from reminders.core.understanding.lexicon import Lexicon, load_lexicon
from reminders.core.understanding.matching import Match, find_matches
from reminders.core.understanding.reading import Because, Flag, Intent, Reading
from reminders.core.understanding.scores import read_score
from reminders.core.understanding.suspicion import RULE as SUSPICION
from reminders.core.understanding.suspicion import suspect
from reminders.core.understanding.text import Token, tokenise

PERSISTS_FROM = 4  # 4 of 10 is the most used lower bound of "moderate" (Woo 2015); a convention, not a proof
_STATES = ("flag", "sore", "well", "better", "worse", "same", "mild", "opt_out", "question")
_TOLD = "opt_out.told"  # "I said stop" is no wish of now beside "turn my texts back on"
_TURNS = frozenset({"but", "pero", "though", "although", "aunque", "still", "todavia", "yet", "except"})
_NO_FLAGS: frozenset[Flag] = frozenset()


def read(text: str) -> Reading:
    """Read one reply to "how sore are you now, 0 to 10?", alone and without history.

    The same text always gives the same reading; any text gives one. Where the reply is not understood the intent is
    `question` or `unclear` and `sure` is False: a person has to look. Where the rules find no danger sign the second
    reader is asked, and what it hears is a danger sign that is not sure.
    """
    return _read(text, with_suspicion=True)


def read_by_rules(text: str) -> Reading:
    """Read one reply by the rules alone, for fitting and measuring the second reader."""
    return _read(text, with_suspicion=False)


def _read(text: str, *, with_suspicion: bool) -> Reading:
    lexicon = load_lexicon()
    tokens = lexicon.speller.spell(tokenise(text, lexicon.emoji))
    if not tokens:
        return Reading(Intent.UNCLEAR, None, _NO_FLAGS, (), sure=False, language="")
    return _Decision(text, tokens, lexicon).reading(with_suspicion=with_suspicion)


class _Decision:
    def __init__(self, text: str, tokens: list[Token], lexicon: Lexicon) -> None:
        self._text, self._tokens = text, tokens
        self._body = lexicon.words("body")
        self._context = Context(tokens, find_matches(tokens, lexicon), lexicon)
        self._evidence = gather_evidence(self._context, lexicon)
        states = frozenset(match.first for match in self._context.of(*_STATES))
        self._score = read_score(tokens, lexicon, states=states, is_anothers=self._is_anothers)
        self._language = guess_language(tokens, lexicon)

    def reading(self, *, with_suspicion: bool) -> Reading:
        """Take the first intent that fits."""
        evidence = self._evidence
        if evidence.flags:
            flags = frozenset(flag for match in evidence.flags for flag in match.flags)
            # Who also asks for the texts to end gets both: the danger is answered, and the texts end.
            return self._answer(Intent.RED_FLAG, [*evidence.flags, *self._asked("opt_out")], flags=flags)
        keyword = keyword_intent(self._tokens) or keyword_intent(tokenise(_spelt_out(self._text), {}))
        if keyword is not None:
            return self._answer(keyword, [_whole(self._tokens, f"keyword.{keyword}")])
        heard = suspect(self._context) if with_suspicion else None
        if heard is not None:
            words = Match(SUSPICION, "flag", heard.flags, heard.first, heard.last)
            return self._answer(Intent.RED_FLAG, [words, *self._asked("opt_out")], flags=heard.flags, sure=False)
        for intent, means in ((Intent.OPT_OUT, "opt_out"), (Intent.OPT_IN, "opt_in"), (Intent.HELP, "help")):
            asked = self._asked(means)
            if asked:
                return self._answer(intent, asked)
        return self._soreness() or self._rest()

    def _asked(self, means: str) -> list[Match]:
        keeps = self._context.of("keep_texts")
        wants_them_back = bool(self._context.of("opt_in"))
        return [
            match
            for match in self._context.of(means)
            if means == "help"
            or not (any(keep.overlaps(match) for keep in keeps) or (match.rule == _TOLD and wants_them_back))
        ]

    def _soreness(self) -> Reading | None:
        evidence, score = self._evidence, self._score
        if score.score is not None:
            return self._with_score(score.score)
        if score.is_over_the_top:
            return self._answer(Intent.PERSISTS, [])
        there = evidence.sore + evidence.worse + evidence.same
        if evidence.is_contradiction:
            return self._answer(Intent.UNCLEAR, there, sure=False)
        if there:
            return self._answer(Intent.PERSISTS, there, sure=not self._is_doubtful())
        if evidence.mild and evidence.still:
            return self._answer(Intent.PERSISTS, evidence.mild + evidence.still, sure=False)
        settled = evidence.mild + evidence.well + evidence.better + evidence.denied_sore
        if settled:
            return self._answer(Intent.RESOLVED, settled, sure=not self._is_doubtful())
        return None

    def _with_score(self, score: int) -> Reading:
        evidence = self._evidence
        if score >= PERSISTS_FROM:
            contrary = bool(evidence.well or evidence.denied_sore) and not evidence.sore
            said = evidence.sore + evidence.worse
            return self._answer(Intent.PERSISTS, said, sure=not contrary and not self._is_doubtful())
        contrary_words = evidence.worse + (evidence.sore if evidence.is_intense and self._means_soreness() else [])
        if contrary_words and not evidence.is_contradiction:
            return self._answer(Intent.PERSISTS, contrary_words)
        doubtful = bool(evidence.sore or evidence.same) or self._is_doubtful()
        return self._answer(Intent.RESOLVED, evidence.well, sure=not doubtful)

    def _means_soreness(self) -> bool:
        """Tell whether strong words are of soreness, and not a story in front: "me mataron en el trabajo, cuello 1"."""
        number_at = min((used.first for used in self._score.used), default=0)
        is_named = any(match.rule != "sore.strong" or match.first > number_at for match in self._evidence.sore)
        return is_named or any(token.norm in _TURNS for token in self._tokens)

    def _rest(self) -> Reading:
        answered = [
            answer  # "fever? no" asks nothing, "or no?" does
            for answer in self._context.of("deny_answer")
            if not answer.first or self._tokens[answer.first - 1].norm not in {"o", "or"}
        ]
        asked = [each for each in self._context.of("question") if not any(each.overlaps(one) for one in answered)]
        if asked:
            return self._answer(Intent.QUESTION, asked[:1], sure=False)
        hypothetical = [m for m in self._context.matches if m.means == "hypothetical"]
        if hypothetical and self._evidence.unsettled_flags and self._language:
            return self._answer(Intent.QUESTION, hypothetical[:1], sure=False)
        others = self._evidence.others_flags
        flags = frozenset(flag for match in others for flag in match.flags)
        return replace(self._answer(Intent.UNCLEAR, others, sure=False), others_flags=flags)

    def _is_doubtful(self) -> bool:
        return bool(self._evidence.unsettled_flags)

    def _is_anothers(self, at: int) -> bool:
        before = [token.norm for token in self._tokens[max(0, at - 2) : at]]
        if before[-1:] == [","] or (before[:1] == [","] and before[-1] in self._body):
            return False  # "the dog threw up all night, 2"
        number = Match("score", "score", _NO_FLAGS, at, at + 1)
        return self._context.status(number) is Status.OTHER

    def _answer(
        self, intent: Intent, matches: Iterable[Match], *, flags: frozenset[Flag] = _NO_FLAGS, sure: bool = True
    ) -> Reading:
        found = [(match.rule, match.first, match.last) for match in matches]
        found.extend(("score", used.first, used.last) for used in self._score.used)
        return Reading(
            intent=intent,
            score=self._score.score,
            flags=flags,
            because=tuple(self._because(*each) for each in sorted(set(found), key=lambda each: each[1:])),
            sure=sure and not (intent is Intent.OPT_OUT and self._evidence.unsettled_flags),
            language=self._language,
        )

    def _because(self, rule: str, first: int, last: int) -> Because:
        start, end = self._tokens[first].start, self._tokens[last - 1].end
        return Because(rule=rule, text=self._text[start:end], start=start, end=end)


def _spelt_out(text: str) -> str:
    """Return the word of a text whose letters stand alone ("P A R A R"), or nothing."""
    letters = text.split()
    return "".join(letters) if len(letters) > 2 and all(len(letter) == 1 for letter in letters) else ""


def _whole(tokens: list[Token], rule: str) -> Match:
    return Match(rule, "keyword", _NO_FLAGS, 0, len(tokens))
