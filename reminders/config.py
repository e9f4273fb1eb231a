"""What the environment says, read once into a frozen `Config`.

Only the standard library is used here, so that a wrong setting is told in one sentence before anything heavy is
imported. Each variable has one row in `SETTINGS`; `docs/configuration.md` has the same rows, and a test compares them.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})
FERNET_KEY_BYTES = 32
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class ConfigError(Exception):
    """A setting is missing or wrong. The message is one sentence that says what to do."""


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, its default as a person would write it, and what it decides."""

    name: str
    default: str
    description: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATABASE_URL",
        "(embedded PostgreSQL in the data folder)",
        "PostgreSQL, as postgresql://user:password@host:5432/name; ?host=/folder names a Unix socket's folder.",
    ),
    Setting(
        "REDIS_URL",
        "(embedded Valkey in the data folder)",
        "Redis or Valkey, as redis://, rediss:// or unix:///path. It may be emptied at any time.",
    ),
    Setting(
        "PUBLIC_BASE_URL",
        "(none; `reminders up` sets it for the sandbox)",
        "The address under which the carrier and staff reach the web process, for example https://aftercare.example.org.",
    ),
    Setting("TWILIO_ACCOUNT_SID", "(none: the sandbox carrier is used)", "The Twilio account; starts with AC."),
    Setting("TWILIO_AUTH_TOKEN", "(none)", "The account's auth token: signs in, and checks the carrier's signatures."),
    Setting(
        "TWILIO_API_BASE_URL",
        "(Twilio's own API)",
        "Where the Twilio adapter sends its requests instead: any server that speaks Twilio's contract.",
    ),
    Setting(
        "REMINDERS_DATA_DIR", "<checkout>/.data", "Folder of the embedded servers, their logs and the kept secret."
    ),
    Setting(
        "REMINDERS_SECRET_KEY",
        "(kept in the data folder by `reminders up`)",
        "Signs logins and links: 32 characters or more, the same in every process. Needed wherever "
        "DATABASE_URL is set and `reminders up` has not been used.",
    ),
    Setting(
        "REMINDERS_MEDIA_KEYS",
        "(kept in the data folder by `reminders up`)",
        "Encrypt patients' pictures and the secrets of one-time codes: one Fernet key or several, separated by commas; "
        "the first encrypts, all decrypt. The same in every process; needed where REMINDERS_SECRET_KEY is.",
    ),
    Setting("REMINDERS_ALLOWED_HOSTS", "(none)", "More host names the web process answers to, separated by commas."),
    Setting(
        "REMINDERS_TRUST_PROXY",
        "0",
        "1 where a proxy in front ends TLS and always sets X-Forwarded-Proto itself; else it must stay 0.",
    ),
    Setting("REMINDERS_DEBUG", "0", "1 shows error pages with source code; never where real patients are."),
    Setting("REMINDERS_LOG_FORMAT", "json", "`json` (one object a line) or `console` (for reading by eye)."),
    Setting("REMINDERS_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting(
        "REMINDERS_STATIC_ROOT",
        "(none: served from the sources)",
        "Folder of collected static files (`reminders manage collectstatic`), as the container image uses it.",
    ),
    Setting(
        "REMINDERS_METRICS_TOKEN",
        "(none: `/metrics` answers this machine alone)",
        "The bearer token with which Prometheus reads `/metrics`: 16 characters or more.",
    ),
    Setting(
        "REMINDERS_HISTORY_MONTHS",
        "24",
        "For how many months the log of tries and callbacks is kept, 3 or more; 0 keeps it for ever. Texts are kept "
        "always.",
    ),
    Setting("REMINDERS_SANDBOX", "0", "1 where the carrier is the sandbox; `reminders up` sets it."),
    Setting("REMINDERS_SANDBOX_URL", "(none)", "The sandbox carrier's address, for the pages that link to its phones."),
)


@dataclass(frozen=True)
class Config:
    """The environment, checked. Empty strings stand for what is not set."""

    database_url: str
    redis_url: str
    public_base_url: str
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_api_base_url: str
    data_dir: Path
    secret_key: str
    media_keys: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    trust_proxy: bool
    debug: bool
    log_format: str
    log_level: str
    static_root: str
    metrics_token: str
    history_months: int
    sandbox: bool
    sandbox_url: str

    @property
    def carrier_is_configured(self) -> bool:
        """True where a Twilio account (or a server that speaks its contract) is set; else the sandbox is used."""
        return bool(self.twilio_account_sid)


def read_config(environ: Mapping[str, str] | None = None) -> Config:
    """Return the checked configuration of `environ` (default: this process's environment).

    Raises `ConfigError`, one sentence, for the first setting that is wrong or half set.
    """
    env = os.environ if environ is None else environ

    def text(name: str) -> str:
        return env.get(name, "").strip()

    config = Config(
        database_url=_url(name="DATABASE_URL", value=text("DATABASE_URL"), schemes=("postgresql", "postgres")),
        redis_url=_url(name="REDIS_URL", value=text("REDIS_URL"), schemes=("redis", "rediss", "unix")),
        public_base_url=_web_address(name="PUBLIC_BASE_URL", value=text("PUBLIC_BASE_URL")),
        twilio_account_sid=text("TWILIO_ACCOUNT_SID"),
        twilio_auth_token=text("TWILIO_AUTH_TOKEN"),
        twilio_api_base_url=_web_address(name="TWILIO_API_BASE_URL", value=text("TWILIO_API_BASE_URL")),
        data_dir=Path(text("REMINDERS_DATA_DIR") or BASE_DIR / ".data").expanduser().absolute(),
        secret_key=_secret(text("REMINDERS_SECRET_KEY")),
        media_keys=_media_keys(text("REMINDERS_MEDIA_KEYS")),
        allowed_hosts=tuple(host.strip() for host in text("REMINDERS_ALLOWED_HOSTS").split(",") if host.strip()),
        trust_proxy=_flag(name="REMINDERS_TRUST_PROXY", value=text("REMINDERS_TRUST_PROXY")),
        debug=_flag(name="REMINDERS_DEBUG", value=text("REMINDERS_DEBUG")),
        log_format=_choice(name="REMINDERS_LOG_FORMAT", value=text("REMINDERS_LOG_FORMAT") or "json", of=LOG_FORMATS),
        log_level=_choice(
            name="REMINDERS_LOG_LEVEL", value=(text("REMINDERS_LOG_LEVEL") or "INFO").upper(), of=LOG_LEVELS
        ),
        static_root=text("REMINDERS_STATIC_ROOT"),
        metrics_token=_token(text("REMINDERS_METRICS_TOKEN")),
        history_months=_months(text("REMINDERS_HISTORY_MONTHS") or "24"),
        sandbox=_flag(name="REMINDERS_SANDBOX", value=text("REMINDERS_SANDBOX")),
        sandbox_url=_web_address(name="REMINDERS_SANDBOX_URL", value=text("REMINDERS_SANDBOX_URL")),
    )
    _check_carrier(config)
    return config


LOG_FORMATS = ("json", "console")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def celery_broker_url(redis_url: str) -> str:
    """Return `redis_url` as Celery wants it: it has its own word for a Unix socket and for the database's number."""
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")


def _check_carrier(config: Config) -> None:
    """Refuse a half-set carrier: it would accept patients and then send nothing, or hear nothing back."""
    if config.twilio_account_sid and not config.twilio_auth_token:
        raise ConfigError(
            "TWILIO_ACCOUNT_SID is set but TWILIO_AUTH_TOKEN is not: set both, or neither to use the sandbox carrier."
        )
    if config.twilio_auth_token and not config.twilio_account_sid:
        raise ConfigError(
            "TWILIO_AUTH_TOKEN is set but TWILIO_ACCOUNT_SID is not: set both, or neither to use the sandbox carrier."
        )
    if not config.carrier_is_configured:
        if config.twilio_api_base_url:
            raise ConfigError(
                "TWILIO_API_BASE_URL is set without an account: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN too, "
                "or unset it to use the sandbox carrier."
            )
        return
    if not config.twilio_account_sid.startswith("AC"):
        raise ConfigError(
            "TWILIO_ACCOUNT_SID must be the account's own SID, which starts with AC: copy it from Twilio's console."
        )
    if not config.public_base_url:
        raise ConfigError(
            "PUBLIC_BASE_URL is not set: set it to the https address under which Twilio can reach this server, "
            "or unset TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to use the sandbox carrier."
        )
    public = urlsplit(config.public_base_url)
    texts_leave_this_network = not config.twilio_api_base_url
    if texts_leave_this_network and (public.scheme != "https" or public.hostname in LOOPBACK_HOSTS):
        raise ConfigError(
            "PUBLIC_BASE_URL must be an https address that Twilio can reach from outside, because patients' replies "
            "travel over it: put the server's public name there."
        )


def _web_address(*, name: str, value: str) -> str:
    """Return an http(s) address without its trailing slash."""
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username:
        raise ConfigError(
            f"{name} must be an address that starts with http:// or https://, with no query and no user name: "
            "for example https://aftercare.example.org."
        )
    return value.rstrip("/")


def _url(*, name: str, value: str, schemes: tuple[str, ...]) -> str:
    """Return the URL once its scheme is one of `schemes`. It may hold a password, so no message quotes it."""
    if value and value.partition("://")[0] not in schemes:
        raise ConfigError(f"{name} must start with {schemes[0]}://: see docs/configuration.md for its forms.")
    return value


def _secret(value: str) -> str:
    shortest = 32
    if value and len(value) < shortest:
        raise ConfigError(
            f"REMINDERS_SECRET_KEY is shorter than {shortest} characters: make one with "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`."
        )
    return value


def _media_keys(value: str) -> tuple[str, ...]:
    """Return the keys in their order. They are secrets, so no message quotes one."""
    keys = tuple(key.strip() for key in value.split(",")) if value else ()
    for number, key in enumerate(keys, start=1):
        try:
            good = len(base64.b64decode(key, altchars=b"-_", validate=True)) == FERNET_KEY_BYTES
        except ValueError:
            good = False
        if not good:
            raise ConfigError(
                f"REMINDERS_MEDIA_KEYS: key {number} of {len(keys)} is no Fernet key (32 bytes in URL-safe base64): "
                "make one with `python3 -c 'import base64, secrets; "
                "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'`."
            )
    return keys


def _token(value: str) -> str:
    shortest = 16
    if value and len(value) < shortest:
        raise ConfigError(
            f"REMINDERS_METRICS_TOKEN is shorter than {shortest} characters: make one with "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(24))'`."
        )
    return value


def _months(value: str) -> int:
    # Evidence about a text is looked for over hours, and carriers report for days: this is never too short.
    shortest = 3
    if not (value.isascii() and value.isdigit()) or 0 < int(value) < shortest:
        raise ConfigError(f"REMINDERS_HISTORY_MONTHS must be {shortest} or more months, or 0 to keep everything.")
    return int(value)


def _flag(*, name: str, value: str) -> bool:
    word = value.lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ConfigError(f"{name} must be 1 or 0.")
    return word in TRUE_WORDS


def _choice(*, name: str, value: str, of: tuple[str, ...]) -> str:
    if value not in of:
        raise ConfigError(f"{name} must be one of {', '.join(of)}.")
    return value
