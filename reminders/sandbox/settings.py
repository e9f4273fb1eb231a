"""How one sandbox carrier is set up, and what can be changed while it runs."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Fixed for the life of the process."""

    account_sid: str
    auth_token: str
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str = ""
    """Where the product reaches this process; media addresses start with it. Empty: host and port."""
    data_dir: Path | None = None
    """Where the journal lies; None keeps everything in memory alone."""
    pool_number: str = "+15005550006"
    """The sender picked for a create that names a messaging service and no number."""
    seed: int = 0
    """Feeds the faults that strike by chance, so that a run can be repeated."""


@dataclass(slots=True)
class Behaviour:
    """What the control API may change at any time; part of the journal."""

    sent_after: float = 0.3
    """Real seconds from a create to `sent`."""
    delivered_after: float = 0.6
    """Real seconds from a create to its receipt."""
    carrier_handles_opt_out: bool = False
    """Whether the carrier itself keeps STOP and START, as a number with default opt-out handling does."""
    inbound_url: str = ""
    """Where texts from phones are posted."""
    inbound_urls: dict[str, str] = field(default_factory=dict)
    """The same per receiving number, where numbers differ."""
    shared_key_secret: str = ""
    """Where set, webhooks are signed with HMAC-SHA256 and this secret, and say so in Twilio's settings header."""
    min_gather_seconds: float = 20.0
    """The least time a ringing person gets to press a key: a page cannot be clicked in the usual 5 s."""

    def check(self, changes: dict[str, Any]) -> None:
        """Raise ValueError for an unknown name and TypeError for a value of the wrong type."""
        known = {f.name for f in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name}; known are {', '.join(sorted(known))}")
            current = getattr(self, name)
            wanted: tuple[type, ...] = (int, float) if isinstance(current, float) else (type(current),)
            if not isinstance(value, wanted) or (isinstance(value, bool) and not isinstance(current, bool)):
                raise TypeError(f"setting {name} takes a {type(current).__name__}")

    def apply(self, changes: dict[str, Any]) -> None:
        """Set what `check` has let pass."""
        for name, value in changes.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        """Return every setting with its value."""
        return asdict(self)
