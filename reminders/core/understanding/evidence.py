"""Gathers what a reply says, once each thing that was found has been put into its context."""

from dataclasses import dataclass, field

from reminders.core.understanding.context import Context, Status
from reminders.core.understanding.lexicon import Lexicon
from reminders.core.understanding.matching import Match
from reminders.core.understanding.text import Token

_BREAK_MARKS = frozenset({".", "!", "?", ";", ","})
_DENYING = frozenset(
    {"no", "zero", "without", "sin", "0", "cero", "none", "nothing", "nada", "nope", "nah", "nop"}
    | {"ninguna", "ninguno", "ningun"}
)
_STILL = frozenset({"still", "todavia", "aun", "sigue"})
_OVER = frozenset({"stopped", "quit", "gone", "disappeared", "vanished", "paro", "quito", "desaparecio", "detuvo"})
_NEAR = 2
_SHORT = 4  # tokens: a longer match may span signs of their own


@dataclass(slots=True)
class Evidence:
    """The matches that count, by what they mean."""

    flags: list[Match] = field(default_factory=list)
    unsettled_flags: list[Match] = field(default_factory=list)  # named, but not said of the patient now
    others_flags: list[Match] = field(default_factory=list)  # of the unsettled ones, those of somebody else
    denied_flags: list[Match] = field(default_factory=list)
    sore: list[Match] = field(default_factory=list)
    past_sore: list[Match] = field(default_factory=list)
    worse: list[Match] = field(default_factory=list)
    same: list[Match] = field(default_factory=list)
    mild: list[Match] = field(default_factory=list)
    well: list[Match] = field(default_factory=list)
    better: list[Match] = field(default_factory=list)
    better_little: list[Match] = field(default_factory=list)
    still: list[Match] = field(default_factory=list)
    denied_sore: list[Match] = field(default_factory=list)
    is_intense: bool = False
    is_contradiction: bool = False


class _Gatherer:
    def __init__(self, context: Context, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._context = context
        self._tokens = context.tokens
        self._evidence = Evidence()
        self._clauses = _clauses(context.tokens, lexicon.words("clause_break"))

    def gather(self) -> Evidence:
        """Sort all matches."""
        for match in self._context.of("flag"):
            self._sort_flag(match)
        self._drop_parts()
        named = self._context.of("flag")
        masks = {
            "sore": self._only(named, "mild", "same", "well", "better", "worse", "opt_out"),
            "mild": named + self._context.of("same"),
            "well": named
            + self._context.of("same", "chatter", "mild", "opt_out", "opt_in")
            + self._rule("sore.sarcasm"),
            "better": named + self._context.of("same", "better_little", "chatter", "worse"),
            "better_little": named + self._context.of("same"),
            "same": named,
            "worse": named + self._context.of("chatter") + self._rule("well.no_more"),
            "still": [],
        }
        for means, mask in masks.items():
            for match in self._context.of(means):
                if not any(_covers(other, match) for other in mask if other is not match):
                    self._sort(match)
        self._finish()
        return self._evidence

    def _only(self, named: list[Match], *means: str) -> list[Match]:
        return named + self._context.of(*means)

    def _rule(self, rule: str) -> list[Match]:
        return [match for match in self._context.matches if match.rule == rule]

    def _drop_parts(self) -> None:
        """Drop what is only a part of a longer sign ("collapsed" in "collapsed lung"), and care without a cause."""
        flags = self._evidence.flags
        flags = [
            match
            for match in flags
            if match.last - match.first > 1
            or not any(_covers(other, match) and 1 < other.last - other.first <= _SHORT for other in flags)
        ]
        flags = [
            match
            for match in flags
            if not any(other.rule in match.yields_to and other.overlaps(match) for other in flags)
        ]
        if any(match.rule != "other.emergency_care" for match in flags):
            flags = [match for match in flags if match.rule != "other.emergency_care"]
        self._evidence.flags = flags

    def _is_about_signs(self, match: Match) -> bool:
        """Tell whether "none" or "no issues" speaks of the warning signs rather than of the soreness."""
        answers = self._context.of("deny_all", "deny_answer")
        denied = self._evidence.denied_flags
        if any(0 <= sign.first - match.last <= _NEAR or sign.overlaps(match) for sign in denied):
            return self._tokens[match.first].norm in _DENYING
        return bool(denied) and any(answer.overlaps(match) for answer in answers)

    def _sort_flag(self, match: Match) -> None:
        status = self._context.status(match)
        if status is Status.PRESENT:
            self._evidence.flags.append(match)
        elif status is Status.NEGATED:
            self._evidence.denied_flags.append(match)
        else:
            self._evidence.unsettled_flags.append(match)
            if status is Status.OTHER:
                self._evidence.others_flags.append(match)

    def _sort(self, match: Match) -> None:
        evidence, status = self._evidence, self._context.status(match)
        if status is Status.NEGATED:
            if match.means in {"sore", "mild"}:
                evidence.denied_sore.append(match)
            elif match.means == "well" and match.rule == "well.words":
                evidence.well.append(match)
            return
        if status is not Status.PRESENT:
            return
        if match.means == "sore":
            (evidence.past_sore if self._is_past(match) else evidence.sore).append(match)
        elif match.means in {"well", "better", "better_little"}:
            if not self._is_asked(match) and not self._is_past(match) and not self._is_about_signs(match):
                getattr(evidence, match.means).append(match)
        elif match.means in {"worse", "same", "mild"} and self._is_past(match):
            evidence.past_sore.append(match)
        else:
            getattr(evidence, match.means).append(match)

    def _is_past(self, match: Match) -> bool:
        if match.first and self._tokens[match.first - 1].norm in _STILL:
            return False
        if match.means == "well" and not _OVER.isdisjoint(
            token.norm for token in self._tokens[match.first : match.last]
        ):
            return False  # what stopped last night is over now
        clause = self._clauses[match.first]
        now = any(self._clauses[each.first] == clause and each.first <= match.last for each in self._context.of("now"))
        past = any(
            self._clauses[each.first] == clause and not self._is_comparison(each, match)
            for each in self._context.of("past")
        )
        return past and not now

    def _is_comparison(self, past: Match, match: Match) -> bool:
        """Tell whether the past is only what now is compared with: "same as yesterday"."""
        before = self._tokens[past.first - 1].norm if past.first else ""
        after = self._tokens[past.last].norm if past.last < len(self._tokens) else ""
        if self._tokens[past.first].norm == "had" and after == "to":
            return True
        return before in self._lexicon.words("comparing") or match.first <= past.first < match.last

    def _is_asked(self, match: Match) -> bool:
        """Tell whether the words stand in a question: "is it fine to run"."""
        return any(
            asked.first <= match.first
            and not (asked.first == match.first and asked.last <= match.last)
            and self._context.same_sentence(asked, match)
            and not self._context.is_broken(asked.last, match.first)
            for asked in self._context.of("question", "hypothetical")
        )

    def _finish(self) -> None:
        evidence = self._evidence
        strong = any(match.rule in {"sore.strong", "sore.sarcasm"} for match in evidence.sore)
        near: set[str] = set()
        for match in evidence.sore:
            near |= {token.norm for token in self._tokens[max(0, match.first - 3) : match.last + 3]}
        evidence.is_intense = strong or bool(near & self._lexicon.words("intense"))
        words = {token.norm for token in self._tokens}
        plain_sore = [match for match in evidence.sore if match.rule == "sore.words"]
        evidence.is_contradiction = bool(
            evidence.denied_sore
            and plain_sore
            and not words & self._lexicon.words("contrast")
            and not strong
            and not evidence.worse
        )


def gather_evidence(context: Context, lexicon: Lexicon) -> Evidence:
    """Return what the reply says of the patient's state."""
    return _Gatherer(context, lexicon).gather()


def _covers(one: Match, other: Match) -> bool:
    if one.means == "flag" and other.means != "flag":
        return one.overlaps(other)
    return one.first <= other.first and other.last <= one.last


def _clauses(tokens: list[Token], breaks: frozenset[str]) -> list[int]:
    numbers, current = [], 0
    for token in tokens:
        if token.norm in breaks or token.norm in _BREAK_MARKS:
            current += 1
        numbers.append(current)
    return numbers
