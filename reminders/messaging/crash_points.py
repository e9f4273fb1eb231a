"""Places where a worker can be made to die at once, to prove that nothing is lost or doubled there.

Named by the environment variable REMINDERS_CRASH_POINT, and only where the carrier is the sandbox: a worker that serves
patients never looks at it.
"""

import os
import signal
import threading
from typing import Literal

from django.conf import settings

VARIABLE = "REMINDERS_CRASH_POINT"
# Well within the time a request takes at a carrier that is told to be slow.
MID_REQUEST_SECONDS = 0.3

Point = Literal["before_commit_point", "after_commit_point", "mid_request", "before_settle", "before_ack"]


def reach(point: Point) -> None:
    """Kill this worker outright, pool and all, if `point` is the one it was started to die at.

    `mid_request` is reached just before the requests leave; the end comes while they are under way.
    """
    if not settings.REMINDERS_SANDBOX or os.environ.get(VARIABLE) != point:
        return
    if point == "mid_request":
        timer = threading.Timer(MID_REQUEST_SECONDS, _die)
        timer.daemon = True
        timer.start()
    else:
        _die()


def _die() -> None:
    os.killpg(0, signal.SIGKILL)
