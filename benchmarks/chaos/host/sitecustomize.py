"""On the path of every process of a stack under test: can give it a wrong host clock and make its tasks arrive often.

What is switched on stands in the file that REMINDERS_CHAOS_SWITCHES names, as a list of `{"words", "clock_seconds",
"deliveries"}`; the first entry whose words are in the command line counts. Each process reads it once, when it starts.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _switches() -> dict[str, object]:
    try:
        entries = json.loads(Path(os.environ["REMINDERS_CHAOS_SWITCHES"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return {}
    words = " ".join(sys.orig_argv)
    return next((entry for entry in entries if entry["words"] in words), {})


def _shift_clock(seconds: float) -> None:
    import datetime

    import time_machine

    # Only the clock on the wall; the steady one that leases of a process are measured with goes on as it was.
    time_machine.travel(datetime.timedelta(seconds=seconds), tick=True).start()


def deliver_often(deliveries: int) -> Callable[[], None]:
    """Let every task that this process publishes arrive so many times: some before older ones, some seconds later.

    Returns what undoes it.
    """
    import random
    import threading
    import uuid

    from kombu.transport import redis as transport
    from kombu.utils.json import dumps

    channel_type: Any = transport.Channel
    put = channel_type._put

    def push(channel: Any, key: str, text: str, end: str) -> None:
        try:
            with channel.conn_or_acquire() as client:
                getattr(client, end)(key, text)
        except Exception as error:  # noqa: BLE001  # a copy that is lost is no fault of its own
            sys.stderr.write(f"a copy was lost: {type(error).__name__}\n")

    def put_often(channel: Any, queue: str, message: dict[str, Any], **options: object) -> None:
        put(channel, queue, message, **options)
        key = channel._q_for_pri(queue, channel._get_message_priority(message, reverse=False))
        for _copy in range(deliveries - 1):
            text = dumps({**message, "properties": {**message["properties"], "delivery_tag": str(uuid.uuid4())}})
            later = threading.Timer(
                random.choice((0, random.uniform(0, 3))), push, (channel, key, text, random.choice(("lpush", "rpush")))
            )
            later.daemon = True
            later.start()

    channel_type._put = put_often
    return lambda: setattr(channel_type, "_put", put)


_found = _switches()
if _found.get("clock_seconds"):
    _shift_clock(float(_found["clock_seconds"]))  # type: ignore[arg-type]
if _found.get("deliveries"):
    deliver_often(int(_found["deliveries"]))  # type: ignore[call-overload]
