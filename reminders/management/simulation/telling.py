"""The report as lines for a terminal."""

from collections.abc import Iterator

from reminders.core.states import Severity
from reminders.management.simulation import rates
from reminders.management.simulation.report import Day, Report, Taken

LEVELS = {Severity.URGENT: "urgent", Severity.SAME_DAY: "same day", Severity.ROUTINE: "routine"}


def lines_of(report: Report) -> Iterator[str]:
    """Yield the report, line by line."""
    replies, flags, texts, naive = report.replies, report.red_flags, report.texts, report.naive
    yield f"{report.patients} patients, {report.sessions} sessions"
    yield ""
    yield "Replies"
    answered = _share(replies.answered, replies.questions)
    yield (
        f"  answered      {replies.answered} of {replies.questions} questions, {answered} "
        f"(published: {rates.REPLIES.value:.0%})"
    )
    yield (
        f"  within 1 hour {_share(replies.answered_within_hour, replies.answered)} of them "
        f"(published: {rates.WITHIN_HOUR.value:.0%})"
    )
    yield f"  texts         {replies.texts}; {replies.for_a_person_to_read} were left to a person's eyes"
    yield f"  silent        {replies.silent_check_ins} questions closed without an answer"
    yield ""
    yield "Escalations          cases  per 100 sessions  taken after (minutes): median   9 of 10   slowest   not taken"
    for severity, name in LEVELS.items():
        yield f"  {name:<18}{_level(report.taken[severity])}"
    yield ""
    yield f"Red flags     {flags.written} written, {flags.missed} missed, {flags.false} false"
    yield from (f"  missed: {words}" for words in flags.missed_words)
    yield from (f"  false: {words}" for words in flags.false_words)
    yield (
        f"Texts         {texts.sent} to patients: {texts.per_patient} each, {texts.per_session} a session, at most "
        f"{texts.most_for_one} for one"
    )
    yield (
        f"Worst day     cases: {_day(report.worst_day)}; urgent and same day alone: {_day(report.worst_day_of_calls)}"
    )
    yield ""
    yield "The same answers under “4 or more means a call”, where only the first number counts"
    yield (
        f"  calls         {naive.calls}, {naive.calls_per_100_sessions} per 100 sessions; worst day: "
        f"{_day(naive.worst_day)}"
    )
    yield f"  red flags     {naive.red_flags_missed} of {flags.written} missed"
    yield (
        f"  wrong         {naive.calls_without_need} calls nobody needed; {naive.sore_without_call} sore patients not "
        f"called; {naive.without_number} answers without a number, which nobody reads"
    )


def _level(taken: Taken) -> str:
    waits = (taken.median_minutes, taken.p90_minutes, taken.slowest_minutes)
    minutes = "".join(f"{'-' if wait is None else format(wait, '.0f'):>10}" for wait in waits)
    return f"{taken.cases:>7}{taken.per_100_sessions:>18.2f}{'':>20}{minutes}{taken.not_taken:>12}"


def _day(day: Day) -> str:
    return f"{day.count} on {day.day}" if day.count else "none"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
