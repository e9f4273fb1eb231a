"""Ports are judged before anything starts on them."""

from pathlib import Path

import pytest

from reminders.config import ConfigError, read_config
from reminders.embedded.places import Places
from reminders.management.stack.plan import Options, make_plan
from reminders.management.stack.ports import claim_port


@pytest.mark.parametrize("port", [-1, 65_536, 80_000])
def test_a_port_that_does_not_exist_is_refused_in_a_sentence(port: int) -> None:
    with pytest.raises(ConfigError, match=f"There is no port {port}: .* with --port"):
        claim_port(port=port, option="--port")


def test_the_console_and_the_sandbox_cannot_have_one_port(tmp_path: Path) -> None:
    free = claim_port(port=0, option="--port")
    options = Options(port=free, sandbox_port=free, concurrency=1, scheduler_count=1)

    with pytest.raises(ConfigError, match=f"cannot share port {free}"):
        make_plan(config=read_config({}), options=options, places=Places(tmp_path))
