"""`reminders sandbox`: the stand-in carrier as a process of its own. Needs no Django and no database."""

import asyncio
import gc
import os
from pathlib import Path

import click

from reminders.sandbox.carrier import Carrier
from reminders.sandbox.clock import ClockControl
from reminders.sandbox.journal import JournalInUseError
from reminders.sandbox.server import serve
from reminders.sandbox.settings import Behaviour, SandboxSettings

# Twilio's connection overrides for a product that may be restarting: three retries, also after time-outs and 5xx.
RETRIES = "#rc=3&rp=ct,rt,5xx"


def _inbound_urls(values: tuple[str, ...], public_base_url: str) -> tuple[str, dict[str, str]]:
    """Return the default inbound address and those of single numbers (`+15550100=http://...`)."""
    default = f"{public_base_url.rstrip('/')}/webhooks/sms/inbound/{RETRIES}" if public_base_url else ""
    per_number: dict[str, str] = {}
    for value in values:
        number, equals, url = value.partition("=")
        if equals and number.startswith("+"):
            per_number[number] = url
        else:
            default = value
    return default, per_number


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default="a free one", help="Port to listen on.")
@click.option("--public-url", default="", help="Where the product reaches this process, if not at host and port.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Keep conversations here.")
@click.option("--account-sid", envvar="TWILIO_ACCOUNT_SID", required=True, help="The account it serves (AC...).")
@click.option("--auth-token", envvar="TWILIO_AUTH_TOKEN", required=True, help="Its token; also signs webhooks.")
@click.option("--public-base-url", envvar="PUBLIC_BASE_URL", default="", help="The product's own address.")
@click.option("--inbound-url", multiple=True, help="Where texts from phones go: URL, or +NUMBER=URL.")
@click.option("--pool-number", default="+15005550006", show_default=True, help="Sender of creates without From.")
@click.option("--sent-after", default=0.3, show_default=True, help="Real seconds from a create to `sent`.")
@click.option("--delivered-after", default=0.6, show_default=True, help="Real seconds from a create to its receipt.")
@click.option("--seed", default=0, show_default=True, help="Seed of faults that strike by chance.")
def sandbox(
    host: str,
    port: int,
    public_url: str,
    data_dir: Path | None,
    account_sid: str,
    auth_token: str,
    public_base_url: str,
    inbound_url: tuple[str, ...],
    pool_number: str,
    sent_after: float,
    delivered_after: float,
    seed: int,
) -> None:
    """Run the sandbox carrier, which stands in for Twilio."""
    default, per_number = _inbound_urls(inbound_url, public_base_url)
    settings = SandboxSettings(
        account_sid=account_sid,
        auth_token=auth_token,
        host=host,
        port=port,
        public_url=public_url,
        data_dir=data_dir,
        pool_number=pool_number,
        seed=seed,
    )
    behaviour = Behaviour(
        sent_after=sent_after, delivered_after=delivered_after, inbound_url=default, inbound_urls=per_number
    )
    # Every message lives as long as the process, so frequent full collections only cost time.
    gc.set_threshold(50_000, 20, 50)
    try:
        carrier = Carrier(settings, behaviour=behaviour, clock=_product_clock())
        asyncio.run(serve(carrier, announce=lambda url: click.echo(f"sandbox carrier at {url}")))
    except JournalInUseError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _product_clock() -> ClockControl | None:
    """Return the clock of the product's database where one is configured; None keeps a clock of one's own."""
    dsn = os.environ.get("DATABASE_URL")
    if not dsn:
        return None
    # Imported only here: the carrier alone needs no database driver.
    from reminders.sandbox.product_clock import ProductClock

    return ProductClock(dsn=dsn)
