"""Whether the processes of a stack do their work, asked from outside as their users would."""

import http.client
import urllib.error
import urllib.request

import psycopg
import redis
from celery import Celery
from kombu.exceptions import KombuError
from redis.backoff import NoBackoff
from redis.retry import Retry

from reminders.config import ConfigError, celery_broker_url


def answers(url: str) -> bool:
    """True where `url` (http, on this machine) answers 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 our own address, made from a port
            return bool(response.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def workers_answer(*, redis_url: str, names: list[str]) -> bool:
    """True where all Celery workers called `names` answer through the broker within a second."""
    # An application without this product's tasks or Django behind it: it only asks.
    probe = Celery("probe", broker=celery_broker_url(redis_url), set_as_current=False, fixups=[])
    probe.conf.broker_connection_retry = False
    try:
        replies = probe.control.inspect(destination=names, timeout=1).ping() or {}
    except (OSError, redis.RedisError, KombuError):
        return False
    finally:
        probe.close()
    return set(names) <= set(replies)


def check_database(url: str) -> None:
    """Raise `ConfigError` where the PostgreSQL at `url` does not let us in. The message never holds the URL."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        raise ConfigError(f"DATABASE_URL is set but PostgreSQL does not let us in: {reason}") from None


def check_broker(url: str) -> None:
    """Raise `ConfigError` where the Redis at `url` does not answer. The message never holds the URL."""
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()
    except redis.RedisError as error:
        raise ConfigError(f"REDIS_URL is set but Redis does not answer: {type(error).__name__}.") from None
    finally:
        client.close()
