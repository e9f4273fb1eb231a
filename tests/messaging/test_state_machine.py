"""The engine never leaves the path of a simple model, whatever happens in whatever order.

Stories are the same in each run; `SENDING_STORIES=2000` tells so many new ones, about three a second.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from structlog.testing import capture_logs

from tests.messaging.state_machine import Sending
from tests.messaging.state_world import make_world

STORIES = int(os.environ.get("SENDING_STORIES", "0"))


@pytest.mark.django_db
@pytest.mark.timeout(600)  # a failure is made as small as possible before it is shown
def test_whatever_happens_in_whatever_order_the_rows_are_as_the_simple_model_says() -> None:
    world = make_world()

    class Stories(Sending):
        """In this world."""

        def __init__(self) -> None:
            super().__init__(world)

    with capture_logs():  # the stories are full of alarms
        run_state_machine_as_test(
            Stories,
            settings=settings(
                max_examples=STORIES or 25,
                stateful_step_count=50,
                derandomize=not STORIES,
                database=None,
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
