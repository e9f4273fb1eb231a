"""The made-up account of the sandbox carrier: stable per data folder, so that kept links and signatures stay valid."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SandboxAccount:
    """What a Twilio account consists of, for the carrier that stands in for it."""

    sid: str
    token: str


def sandbox_account(data_dir: Path) -> SandboxAccount:
    """Return the account of `data_dir`, made once. Only one stack at a time works on a folder, so nothing races."""
    path = data_dir / "sandbox-account.json"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"sid": f"AC{secrets.token_hex(16)}", "token": secrets.token_hex(16)}, file)
        fresh.rename(path)
    kept = json.loads(path.read_text(encoding="ascii"))
    return SandboxAccount(sid=kept["sid"], token=kept["token"])
