"""The browser of the page tests."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)


def find_chromium() -> str:
    """Return the path of the system's Chromium. Skips the test where there is none; fails it where CI is set."""
    for name in (*NAMES, *APPLICATIONS):
        path = shutil.which(name)
        if path:
            return path
    message = "No Chromium here: install it (Debian, Ubuntu: `apt-get install chromium`) to run the page tests."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
