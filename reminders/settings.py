"""Django's settings, made from the checked environment (`reminders.config`)."""

import os
import secrets
from typing import Any
from urllib.parse import urlsplit

from reminders.config import BASE_DIR, Config, ConfigError, read_config
from reminders.database import database_settings
from reminders.embedded.places import Places
from reminders.logs import configure_logging
from reminders.secret import new_media_key, read_kept_media_key, read_kept_secret

# The carrier's client rewrites the host of every request from these two, even one to 127.0.0.1, so a variable left
# over in a shell would carry sandbox traffic out to the real carrier.
for _variable in ("TWILIO_EDGE", "TWILIO_REGION"):
    os.environ.pop(_variable, None)


def secret_key_of(config: Config) -> str:
    """Return the key that signs logins and links; `ConfigError` where each process would make its own."""
    secret = config.secret_key or read_kept_secret(config.data_dir)
    if secret:
        return secret
    if config.database_url:
        raise ConfigError(
            "REMINDERS_SECRET_KEY is not set: every process needs the same one; make it with "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`."
        )
    # Nothing runs on this one: type checks and `makemigrations` import settings before any data folder exists.
    return secrets.token_urlsafe(48)


def media_keys_of(config: Config) -> tuple[str, ...]:
    """Return the keys for pictures, the encrypting one first; `ConfigError` where each process would make its own."""
    kept = read_kept_media_key(config.data_dir)
    # A kept key goes on opening what it encrypted before another one was set.
    keys = (*config.media_keys, *([kept] if kept else []))
    if keys:
        return keys
    if config.database_url:
        raise ConfigError(
            "REMINDERS_MEDIA_KEYS is not set: patients' pictures are kept encrypted, with the same keys in every "
            "process; make one with `python3 -c 'import base64, secrets; "
            "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'`."
        )
    # As above: nothing runs on this one.
    return (new_media_key(),)


CONFIG = read_config()
_PLACES = Places(CONFIG.data_dir)

SECRET_KEY = secret_key_of(CONFIG)
MEDIA_KEYS = media_keys_of(CONFIG)
DEBUG = CONFIG.debug
PUBLIC_BASE_URL = CONFIG.public_base_url
TWILIO_ACCOUNT_SID = CONFIG.twilio_account_sid
TWILIO_AUTH_TOKEN = CONFIG.twilio_auth_token
TWILIO_API_BASE_URL = CONFIG.twilio_api_base_url
REMINDERS_SANDBOX = CONFIG.sandbox
REMINDERS_SANDBOX_URL = CONFIG.sandbox_url
METRICS_TOKEN = CONFIG.metrics_token
HISTORY_MONTHS = CONFIG.history_months
REDIS_URL = CONFIG.redis_url or _PLACES.redis_url

_PUBLIC = urlsplit(CONFIG.public_base_url)
_IS_HTTPS = _PUBLIC.scheme == "https"

ALLOWED_HOSTS = sorted({"localhost", "127.0.0.1", "[::1]", *CONFIG.allowed_hosts} | {_PUBLIC.hostname or "localhost"})
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"] if CONFIG.public_base_url else []

INSTALLED_APPS = [
    "reminders.apps.RemindersConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "reminders.headers.ResponseHeadersMiddleware",
    "reminders.console.idle.IdleSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "reminders.urls"
WSGI_APPLICATION = "reminders.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "reminders.console.jinja.environment",
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

DATABASES = {"default": database_settings(CONFIG.database_url or _PLACES.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "reminders.Clinician"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# A screen left open at the front desk logs itself off (45 CFR 164.312(a)(2)(iii)); each request starts the time anew.
SESSION_COOKIE_AGE = 15 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _IS_HTTPS
CSRF_COOKIE_SECURE = _IS_HTTPS

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _IS_HTTPS else 0
X_FRAME_OPTIONS = "DENY"
if CONFIG.trust_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "reminders" / "console" / "static"]
STATIC_ROOT = CONFIG.static_root or None
# Collected files get a hash in their names and live for ever in caches. Without a folder of collected files they are
# served from the sources, so that a checkout needs no copy and never shows an old one.
WHITENOISE_USE_FINDERS = not CONFIG.static_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if CONFIG.static_root
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}

# What is uploaded holds patients' details, so it is never put on a disk on its way.
FILE_UPLOAD_HANDLERS = ["reminders.console.uploads.InMemoryUploads"]
DATA_UPLOAD_MAX_NUMBER_FILES = 1

# Logging is configured here, not by Django: LOGGING_CONFIG = None keeps Django from adding handlers of its own.
LOGGING_CONFIG = None
configure_logging(log_format=CONFIG.log_format, log_level=CONFIG.log_level)
