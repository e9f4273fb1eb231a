"""The figures in Prometheus' words. Labels are ids, codes and states: never a name, a number or a word of anybody."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reminders.insights.figures import Figures, SenderFigures, Waiting
from reminders.insights.heartbeats import Duty
from reminders.insights.upkeep import Upkeep


def exposition(figures: Figures) -> bytes:
    """Return the figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(tuple(families(figures))))
    return generate_latest(registry)


class _Collected(Collector):
    """Metrics that were read already: rows are asked once for each scrape, whatever process answers it."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def families(figures: Figures) -> Iterator[Metric]:
    """Yield every metric; `docs/monitoring.md` says what each means, and a test compares the two."""
    yield from _waiting("reminders_messages_due", "Texts due now that have not left", figures.due)
    yield _gauge("reminders_messages_late", "Texts due for more than 60 seconds", figures.late)
    yield _by("reminders_messages_in_flight", "Texts held by a worker", "state", figures.held)
    yield from _waiting("reminders_messages_ambiguous", "Texts that wait for evidence", figures.ambiguous)
    yield from _waiting("reminders_messages_unresolved", "Texts that a person must decide", figures.unresolved)
    yield _by(
        "reminders_messages_lately", "Texts that left or ended within 24 hours, by state now", "state", figures.lately
    )
    yield from _senders(figures.senders)
    yield from _cases(figures)
    yield from _waiting("reminders_inbound_unread", "Texts from patients not read by anybody", figures.unread)
    yield from _waiting("reminders_inbox_open", "Texts from patients that a person should read", figures.inbox)
    yield _gauge("reminders_inbound_to_no_sender", "Texts within 7 days to a number not ours", figures.texts_to_nobody)
    yield from _waiting("reminders_pictures_waiting", "Pictures still at the carrier", figures.pictures)
    yield from _waiting(
        "reminders_sessions_owed_a_plan", "Treatment sessions without their plan", figures.sessions_owed_a_plan
    )
    yield _gauge(
        "reminders_second_carrier_ids", "Texts that the carrier took twice; must stay 0", figures.second_carrier_ids
    )
    yield _gauge(
        "reminders_status_reports_of_nothing", "Status reports of 24 hours, no text of ours", figures.reports_of_nothing
    )
    yield from _upkeep(figures.upkeep)
    yield from _processes(figures.duties)
    yield _gauge(
        "reminders_clock_offset_seconds", "How far the clock was moved; 0 with patients", figures.clock_offset_seconds
    )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _waiting(name: str, meaning: str, waiting: Waiting) -> Iterator[Metric]:
    yield _gauge(name, meaning, waiting.count)
    yield _gauge(f"{name}_oldest_seconds", f"{meaning}: age of the oldest", waiting.oldest_seconds)


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _senders(senders: Iterable[SenderFigures]) -> Iterator[Metric]:
    rows = {str(sender.sender_id): sender for sender in senders}
    rates = {key: row.parts_per_second for key, row in rows.items()}
    yield _by("reminders_sender_allowed_parts_per_second", "What a sender may send", "sender", rates)
    used = {key: row.used_parts_per_second for key, row in rows.items()}
    yield _by("reminders_sender_used_parts_per_second", "What the carrier took in the last minute", "sender", used)
    yield _by(
        "reminders_sender_due", "Texts due now on a sender", "sender", {key: row.due for key, row in rows.items()}
    )
    held = {key: float(row.is_paused) for key, row in rows.items()}
    yield _by("reminders_sender_paused", "1 while a sender is held", "sender", held)


def _cases(figures: Figures) -> Iterator[Metric]:
    family = GaugeMetricFamily("reminders_escalations", "Cases not closed", labels=["severity", "state"])
    for (severity, state), count in sorted(figures.cases.items()):
        family.add_metric([severity, state], count)
    yield family
    ages = {severity: waiting.oldest_seconds for severity, waiting in figures.untaken.items()}
    yield _by("reminders_escalations_untaken_oldest_seconds", "Age of the oldest case nobody took", "severity", ages)
    yield _gauge("reminders_escalations_overdue", "Cases nobody took by the time they were due", figures.overdue_cases)


def _upkeep(upkeep: Upkeep) -> Iterator[Metric]:
    longest, holder = upkeep.longest, upkeep.holder
    open_for = longest.seconds if longest else 0
    yield _gauge("reminders_database_longest_transaction_seconds", "Age of the oldest open transaction", open_for)
    seconds, transactions = (holder.seconds, holder.transactions) if holder else (0, 0)
    yield _gauge("reminders_database_oldest_xmin_seconds", "For how long nothing newer can be cleaned", seconds)
    yield _gauge("reminders_database_oldest_xmin_transactions", "How many transactions began since", transactions)
    live, dead, size, cleaned = {}, {}, {}, {}
    for table in upkeep.tables:
        live[table.table], dead[table.table], size[table.table] = table.live, table.dead, table.size_bytes
        if table.cleaned_seconds is not None:
            cleaned[table.table] = table.cleaned_seconds
    yield _by("reminders_table_live_rows", "Rows of a hot table, as estimated", "table", live)
    yield _by("reminders_table_dead_rows", "Former versions not cleaned away yet", "table", dead)
    yield _by("reminders_table_bytes", "Size of a hot table with its indexes", "table", size)
    yield _by("reminders_table_cleaned_seconds", "Since a hot table was last cleaned", "table", cleaned)
    yield _gauge("reminders_history_months_ahead", "Months that the log has room for", upkeep.history.months_ahead)
    yield _gauge("reminders_history_rows_in_rest", "Rows of the log in no month", upkeep.history.rows_in_rest)


def _processes(duties: Iterable[Duty]) -> Iterator[Metric]:
    alive = GaugeMetricFamily("reminders_processes_alive", "Processes at a duty", labels=["kind", "duty"])
    age = GaugeMetricFamily("reminders_heartbeat_age_seconds", "Since the last sign of life", labels=["kind", "duty"])
    for one in duties:
        alive.add_metric([one.kind, one.duty], one.alive)
        if one.age_seconds is not None:
            age.add_metric([one.kind, one.duty], one.age_seconds)
    yield alive
    yield age
