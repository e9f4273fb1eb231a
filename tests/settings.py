"""Django's settings for tests: the product's own, in an environment that no developer's shell can change."""

import os
from pathlib import Path

# Kept between runs, because making a database cluster takes longer than most tests. Nothing in it matters.
os.environ["REMINDERS_DATA_DIR"] = str(Path(__file__).resolve().parent.parent / ".data" / "tests")
os.environ["REMINDERS_SECRET_KEY"] = "a-secret-for-tests-that-signs-nothing-real"
os.environ["REMINDERS_MEDIA_KEYS"] = "a-key-for-tests-that-hides-nothing-real-000="
# Port 9 (discard) is closed: a text that a test forgot to catch fails to connect, whatever account is in the shell.
os.environ["TWILIO_ACCOUNT_SID"] = "AC00000000000000000000000000000000"
os.environ["TWILIO_AUTH_TOKEN"] = "00000000000000000000000000000000"
os.environ["TWILIO_API_BASE_URL"] = "http://127.0.0.1:9"
os.environ["PUBLIC_BASE_URL"] = "http://testserver"
for _name in ("REMINDERS_SANDBOX", "REMINDERS_SANDBOX_URL", "REMINDERS_DEBUG", "REMINDERS_TRUST_PROXY"):
    os.environ.pop(_name, None)

from reminders.settings import *  # noqa: E402, F403 the environment has to be set first

# Real password hashing takes a quarter of a second on purpose; tests log in often.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
