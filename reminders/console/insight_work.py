"""The sections of the Insights room that tell of work and texts: waiting times, opt-outs, delivery and parts."""

from collections import Counter
from datetime import timedelta
from typing import Final

from reminders.console.insight_chart import Figure, chart_of
from reminders.console.insight_sections import FEW, Cell, Names, Section
from reminders.console.moments import span
from reminders.console.tones import MESSAGE_STATES, SEVERITIES
from reminders.console.wording import CONSENT_METHODS, KINDS, say
from reminders.core.states import REACHED_CARRIER, MessageState
from reminders.insights.outcomes import Outcomes

CHARGED: Final = frozenset({*REACHED_CARRIER, MessageState.UNDELIVERED})
"""A carrier charges for what it passed on, arrived or not."""
WAYS: Final = {
    **CONSENT_METHODS,
    "text": "by text, in words or STOP",
    "carrier_keyword": "by STOP, taken by the carrier",
}


def waiting(found: Outcomes, names: Names) -> Section:
    """Return how long cases waited to be taken, and to be resolved."""
    rows = found.handled
    total = rows[0]
    order = list(SEVERITIES)
    rows = [total, *sorted(rows[1:], key=lambda one: order.index(one.severity))]
    said = [SEVERITIES[one.severity].word if one.severity else "All" for one in rows]
    few = " Too few to compare." if 0 < total.cases < FEW else ""
    taken = (
        f" Half of those taken waited at most {_span(total.median_taken)}." if total.median_taken is not None else ""
    )
    return Section(
        slug="waiting",
        title="Time to take and to resolve a case",
        sentence=f"{total.taken:,} of {total.cases:,} cases were taken and {total.resolved:,} resolved.{taken}{few}",
        note="The wide bar is half of the cases taken, the thin one half of those resolved. "
        "Cases that nobody has taken or resolved yet have no time and are missing from it.",
        columns=[
            "Urgency", "Cases", "Taken", "Half taken within", "9 of 10 taken within",
            "Resolved", "Half resolved within", "9 of 10 resolved within",
        ],
        rows=[
            [
                (name, name), _count(one.cases),
                _count(one.taken), _time(one.median_taken), _time(one.most_taken),
                _count(one.resolved), _time(one.median_resolved), _time(one.most_resolved),
            ]
            for name, one in zip(said, rows, strict=True)
        ],
        charts=[
            chart_of(
                title="By urgency",
                rows=[
                    (
                        name,
                        _time_figure("taken", one.median_taken, one.taken),
                        _time_figure("resolved", one.median_resolved, one.resolved),
                    )
                    for name, one in zip(said, rows, strict=True)
                ],
            )
        ],
        is_empty=not total.cases,
    )  # fmt: skip


def opted_out(found: Outcomes, names: Names) -> Section:
    """Return how many numbers ended the texts, and how."""
    ways = found.opt_outs
    total = sum(ways.values())
    few = " Too few to compare." if 0 < total < FEW else ""
    apart = " It is of the whole clinic, whatever is chosen above." if found.scope.is_filtered else ""
    lines = [(say(way, WAYS), count) for way, count in ways.items()]
    return Section(
        slug="opt-outs",
        title="Opt-outs",
        sentence=f"{total:,} number{'' if total == 1 else 's'} opted out.{few}",
        note=f"An opt-out belongs to a number, not to a session.{apart}",
        columns=["How", "Opt-outs"],
        rows=[[("All", "All"), _count(total)], *([(way, way), _count(count)] for way, count in lines)],
        charts=[chart_of(title="By way", rows=[(way, _count_figure(count), None) for way, count in lines])],
        is_empty=not total,
    )


def delivery(found: Outcomes, names: Names) -> Section:
    """Return what the carrier last said of the texts."""
    counts: Counter[str] = Counter()
    for one in found.texts:
        counts[one.state] += one.count
    total, arrived = sum(counts.values()), counts[MessageState.DELIVERED]
    few = " Too few to tell a share." if 0 < total < FEW else ""
    share = f" ({arrived / total:.0%})" if total >= FEW else ""
    lines = [(MESSAGE_STATES[state].word, count) for state, count in counts.most_common()]
    return Section(
        slug="delivery",
        title="Delivery",
        sentence=f"{arrived:,} of {total:,} texts are known to be delivered{share}.{few}",
        note="Texts to patients and staff whose last word came in these days. Cancelled ones were not needed any more.",
        columns=["State", "Texts", "Per cent"],
        rows=[
            [("All", "All"), _count(total), ("100%" if total else "–", 100 if total else None)],
            *(
                [(word, word), _count(count), (f"{count / total:.0%}", round(100 * count / total, 1))]
                for word, count in lines
            ),
        ],
        charts=[chart_of(title="By state", rows=[(word, _count_figure(count), None) for word, count in lines])],
        is_empty=not total,
    )


def parts(found: Outcomes, names: Names) -> Section:
    """Return what the texts cost, in parts."""
    counts: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    for one in found.texts:
        if one.state in CHARGED:
            counts[one.kind] += one.count
            pieces[one.kind] += one.parts
    total, whole = sum(counts.values()), sum(pieces.values())
    each = f", {whole / total:.1f} a text" if total >= FEW else ""
    lines = [(say(kind, KINDS), counts[kind], count) for kind, count in pieces.most_common()]
    return Section(
        slug="parts",
        title="Cost in parts",
        sentence=f"{total:,} texts left in {whole:,} parts{each}.",
        note="Carriers charge by the part: 160 characters, or 70 where a text has emoji or some accents.",
        columns=["Text", "Texts", "Parts"],
        rows=[
            [("All", "All"), _count(total), _count(whole)],
            *([(word, word), _count(count), _count(pieces_of)] for word, count, pieces_of in lines),
        ],
        charts=[chart_of(title="Parts by text", rows=[(word, _count_figure(many), None) for word, _, many in lines])],
        is_empty=not total,
    )


def _count(number: int) -> Cell:
    return (f"{number:,}", number)


def _time(seconds: float | None) -> Cell:
    return ("–", None) if seconds is None else (_span(seconds), round(seconds / 60, 1))


def _span(seconds: float | None) -> str:
    return span(timedelta(seconds=seconds or 0.0))


def _count_figure(count: int) -> Figure:
    return Figure(float(count), f"{count:,}")


def _time_figure(what: str, seconds: float | None, count: int) -> Figure:
    if seconds is None:
        return Figure(None, f"none {what}")
    few = ", few" if count < FEW else ""
    return Figure(seconds / 60, f"{what}: {_span(seconds)} ({count:,}{few})", is_few=count < FEW)
