"""What `reminders doctor` looks at before and beside the rows: settings, servers, migrations, the words it knows.

Django is set up on the way, so nothing that has models is imported before that.
"""

import os
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from reminders.config import Config, ConfigError, read_config
from reminders.core.understanding import Intent, read
from reminders.core.understanding.lexicon import LexiconError
from reminders.core.understanding.suspicion import load_weights
from reminders.insights.findings import Finding, Problem, by_level, danger, found_by
from reminders.management.become import join_running_parts
from reminders.management.stack.health import check_broker, check_database

if TYPE_CHECKING:
    from reminders.insights.diagnosis import Facts

OUTSIDE: Final = ("configuration", "database", "migrations", "broker", "lexicon")
DANGER_SIGN: Final = "I cannot breathe"


def examine() -> list[Finding]:
    """Return everything that is wrong. What cannot be asked because something before it is missing is left out."""
    findings = [found_by("lexicon", problem) for problem in _lexicon()]
    try:
        config = _reach_installation()
    except ConfigError as error:
        return [*findings, _broken("configuration", error)]
    findings += [found_by("configuration", problem) for problem in judge_configuration(config)]
    findings += _try("broker", lambda: check_broker(os.environ["REDIS_URL"]))
    away = _try("database", lambda: check_database(os.environ["DATABASE_URL"]))
    pending = [] if away else [found_by("migrations", problem) for problem in _migrations()]
    findings += [*away, *pending]
    if not away and not pending:
        from reminders.insights.diagnosis import diagnose

        findings += diagnose(_facts(config))
    return by_level(findings)


def missing_processes(kind: str) -> list[Finding]:
    """Return what is not being done on this host by processes of `kind`: all of it, for a worker one queue will do."""
    try:
        _reach_installation()
    except ConfigError as error:
        return [_broken("configuration", error)]
    away = _try("database", lambda: check_database(os.environ["DATABASE_URL"]))
    if away:
        return away
    from reminders.insights.heartbeats import WORKER, duties

    wanted = [duty for duty in duties(host=socket.gethostname()) if duty.kind == kind]
    missing = [duty.duty for duty in wanted if not duty.alive]
    if not missing or (kind == WORKER and len(missing) < len(wanted)):
        return []
    sentence = f"No {kind} of this host is at work: {', '.join(missing)} not done."
    return [found_by("processes", danger(sentence, "Restart it and read its log."))]


def judge_configuration(config: Config) -> Iterator[Problem]:
    """Yield what the environment says that is whole and yet wrong where patients are."""
    if config.sandbox and config.carrier_is_configured and not config.twilio_api_base_url:
        yield danger(
            "REMINDERS_SANDBOX is set beside a real carrier: anybody who reaches its pages can move the clock.",
            "Unset REMINDERS_SANDBOX and REMINDERS_SANDBOX_URL and restart everything.",
        )
    if config.debug and has_real_carrier(config):
        yield danger(
            "REMINDERS_DEBUG is set beside a real carrier: error pages show source code and patients' details.",
            "Unset REMINDERS_DEBUG and restart the web processes.",
        )


def has_real_carrier(config: Config) -> bool:
    """Tell whether texts may reach people's phones."""
    return config.carrier_is_configured and not (config.sandbox and config.twilio_api_base_url)


def _reach_installation() -> Config:
    """Make Django ready on the installation's database, without starting anything."""
    join_running_parts()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reminders.settings")
    import django

    django.setup()
    return read_config()


def _facts(config: Config) -> "Facts":
    from reminders import clock
    from reminders.insights.clinic_gaps import read_clinic_gaps
    from reminders.insights.diagnosis import Facts
    from reminders.insights.figures import read_figures

    return Facts(
        figures=read_figures(now=clock.now()),
        clinics=tuple(read_clinic_gaps()),
        has_real_carrier=has_real_carrier(config),
    )


def _migrations() -> Iterator[Problem]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        yield danger(
            f"The database is older than the code: migrations to be run: {len(pending)}.",
            "Run `reminders manage migrate`, then restart the processes.",
        )


def _lexicon() -> Iterator[Problem]:
    try:
        found = read(DANGER_SIGN).intent is Intent.RED_FLAG
        load_weights()
        why = "" if found else f"“{DANGER_SIGN}” is not read as a danger sign"
    except (LexiconError, OSError) as error:
        why = str(error)
    if why:
        advice = "Restore `reminders/core/understanding`; until then every reply goes to a person."
        yield danger(f"The words that replies are read by do not load: {why}.", advice)


def _try(check: str, ask: Callable[[], None]) -> list[Finding]:
    try:
        ask()
    except ConfigError as error:
        return [_broken(check, error)]
    return []


def _broken(check: str, error: ConfigError) -> Finding:
    advice = {
        "database": "Start PostgreSQL, or correct DATABASE_URL. Nothing leaves and nothing is read until then.",
        "broker": "Start Redis, or correct REDIS_URL. Due texts wait until then; none is lost.",
        "configuration": "Correct it as said; docs/configuration.md lists every setting.",
    }
    return found_by(check, danger(str(error), advice[check]))
