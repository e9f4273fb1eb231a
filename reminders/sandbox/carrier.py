"""One carrier: its ledger, its clock and its way back to the product, put together."""

import asyncio
from functools import partial

from aiohttp import encode_basic_auth

from reminders.sandbox.alarms import Alarms
from reminders.sandbox.clock import CarrierTime, ClockControl, LocalClock
from reminders.sandbox.faults import Faults
from reminders.sandbox.journal import Journal
from reminders.sandbox.ledger import Ledger
from reminders.sandbox.progress import Progress
from reminders.sandbox.records import FINISHED
from reminders.sandbox.settings import Behaviour, SandboxSettings
from reminders.sandbox.switchboard import Switchboard
from reminders.sandbox.webhooks import Webhooks


class Carrier:
    """Everything the request handlers share."""

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        behaviour: Behaviour | None = None,
        clock: ClockControl | None = None,
    ) -> None:
        self.settings = settings
        self.public_url = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
        self.authorization = encode_basic_auth(settings.account_sid, settings.auth_token)
        self.journal = Journal(settings.data_dir) if settings.data_dir else None
        self.ledger = Ledger(self.journal, behaviour)
        self.clock = clock or LocalClock()
        self.time = CarrierTime(self.clock)
        self.alarms = Alarms(self.time)
        self.faults = Faults(seed=settings.seed)
        self.webhooks = Webhooks(self)
        self.progress = Progress(self)
        self.switchboard = Switchboard(self)

    async def start(self) -> None:
        """Bring back what the journal holds."""
        await self.time.start()
        self.ledger.recover()
        await self.webhooks.start()
        self.alarms.start()

    def resume(self) -> None:
        """Let texts that were on their way at the last stop go on."""
        self.switchboard.resume()
        loop = asyncio.get_running_loop()
        for message in self.ledger.in_order:
            if not message.deleted and message.status not in FINISHED:
                loop.call_soon(partial(self.progress.follow, message))

    async def stop(self) -> None:
        """Stop all background work and close the journal."""
        await self.switchboard.stop()
        await self.alarms.stop()
        await self.time.stop()
        await self.webhooks.stop()
        if self.journal:
            self.journal.close()
