"""All scenarios by name, in the order of a run: first what needs no engine, then the engine."""

from typing import Final

from benchmarks.bench import drains, limits, peers, planning, punctual, ratios, slopes, webhooks
from benchmarks.bench.run import Scenario

BARE: Final[dict[str, Scenario]] = {
    "stub": limits.stub_ceiling,
    "http": limits.bare_http,
    "sql": limits.bare_sql,
    "peers": peers.peers,
}
ENGINE: Final[dict[str, Scenario]] = {
    "drain-fast": drains.drain_fast,
    "drain-slow": drains.drain_slow,
    "ratios": ratios.ratios,
    "lateness": punctual.lateness,
    "idle": punctual.idle,
    "pacing": punctual.pacing,
    "fairness": punctual.fairness,
    "callbacks": webhooks.callbacks,
    "inbound": webhooks.inbound,
    "danger": webhooks.danger,
    "planning": planning.planning,
    "backlog": slopes.backlog,
    "history": slopes.history,
    "workers": drains.workers,
}
