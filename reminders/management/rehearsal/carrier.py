"""The sandbox carrier seen from outside: what it has processed, and the phones and the clock it lets us move."""

import http.client
import json
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

REQUEST_SECONDS = 60
MOST_EVENTS = 10_000

Record = dict[str, Any]


class CarrierControl:
    """The control API of one running sandbox carrier.

    Each call is one request; a refusal, and a carrier that does not answer, raise `ValueError` with a sentence.
    """

    def __init__(self, url: str) -> None:
        self._base = f"{url}/sandbox/api"
        self._last_event = 0

    def move_clock(self, *, to: datetime) -> None:
        """Move the clock of all processes forward to this instant."""
        self._ask("clock", {"to": to.isoformat()})

    def text(self, *, sender: str, to: str, body: str) -> str:
        """Send a text from a phone; return its sid once the product has answered the webhook."""
        return str(self._ask("inbound", {"from": sender, "to": to, "body": body})["sid"])

    def on_call(self, *, sid: str, action: str, digits: str = "") -> Record:
        """Do something with a ringing or running call (`answer`, `press`); return the call."""
        found: Record = self._ask(f"calls/{sid}/{action}", {"digits": digits} if digits else {})
        return found

    def set_number(self, number: str, **rule: object) -> None:
        """Decide how texts and calls to a phone end (`call="no-answer"`)."""
        self._ask("numbers", {"number": number, **rule})

    def change_settings(self, **changes: object) -> None:
        """Change how the running carrier behaves."""
        self._ask("settings", changes)

    def add_fault(self, **wish: object) -> int:
        """Switch a fault on; return its number."""
        return int(self._ask("faults", wish)["id"])

    def remove_fault(self, number: int) -> None:
        """Switch a fault off."""
        self._ask(f"faults?{urlencode({'id': number})}", method="DELETE")

    def texts(self) -> list[Record]:
        """Return every create of a text that was processed, oldest first."""
        found: list[Record] = self._ask(f"messages?{urlencode({'direction': 'outbound-api'})}")["messages"]
        return found

    def new_events(self, *, wait_seconds: float = 0, **only: str) -> list[Record]:
        """Return what happened since the last call, waiting up to this long for the first event.

        `only` leaves out events with other fields (`kind="message.created"`); they are passed over for good.
        """
        query = urlencode({"after": self._last_event, "timeout": wait_seconds, "limit": MOST_EVENTS, **only})
        answer = self._ask(f"events?{query}")
        self._last_event = answer["last"]
        found: list[Record] = answer["events"]
        return found

    def state(self) -> Record:
        """Return everything the carrier knows."""
        found: Record = self._ask("state")
        return found

    def _ask(self, path: str, body: Record | None = None, *, method: str | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 our own address, made from a port
            f"{self._base}/{path}", data=None if body is None else json.dumps(body).encode(), method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ValueError(f"the sandbox carrier refused {path}: {error.read().decode()[:200]}") from None
        except (OSError, http.client.HTTPException) as error:
            raise ValueError(f"the sandbox carrier did not answer {path}: {type(error).__name__}") from None


def message_id(callback: str) -> str:
    """Return the product's own id of a message, which the address of its status callback carries."""
    return callback.partition("#")[0].rstrip("/").rpartition("/")[2]
