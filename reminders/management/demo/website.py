"""The product's own doors as others use them: the API with its key, and the console with a login."""

import html
import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from http.cookiejar import CookieJar
from typing import Any

REQUEST_SECONDS = 30
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_HIDDEN = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def post_session(*, base_url: str, api_key: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send one finished treatment session to the API; return the status and the answer, also where it is a refusal.

    Raises `ValueError` where the API does not answer.
    """
    request = urllib.request.Request(  # noqa: S310 our own address, made from a port
        f"{base_url}/api/v1/treatment-sessions",
        data=json.dumps(fields).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {api_key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(f"the API did not answer: {type(error).__name__}") from None


class Browser:
    """One member of staff at a browser without script: pages, forms, cookies. Logs in when a page asks for it."""

    def __init__(self, *, base_url: str, username: str, password: str) -> None:
        self._base_url = base_url
        self._login = {"username": username, "password": password}
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def read(self, path: str) -> str:
        """Return the words of a page as they are read, without markup. Raises `ValueError` where there is no page."""
        return _words(self._page(path))

    def submit(self, path: str, *, form_on: str, **fields: str) -> str:
        """Fill in the form on the page `form_on`, send it to `path`, and return the words of the page that follows."""
        token = _token(self._page(form_on))
        return _words(self._open(path, {**fields, "csrfmiddlewaretoken": token})[1])

    def _page(self, path: str) -> str:
        url, page = self._open(path)
        if "/login/" in url and path != "/login/":
            self._open("/login/", {**self._login, "csrfmiddlewaretoken": _token(page)})
            url, page = self._open(path)
        if "/login/" in url:
            raise ValueError(f"{self._login['username']} could not log in to the console")
        return page

    def _open(self, path: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        try:
            with self._opener.open(self._base_url + path, data, timeout=REQUEST_SECONDS) as response:
                return response.url, response.read().decode()
        except urllib.error.HTTPError as error:
            status = HTTPStatus(error.code)
            raise ValueError(f"the console answered {status} {status.phrase} for {path}") from None
        except (OSError, http.client.HTTPException) as error:
            raise ValueError(f"the console did not answer for {path}: {type(error).__name__}") from None


def _token(page: str) -> str:
    found = _TOKEN.search(page)
    if found is None:
        raise ValueError("the page has no form")
    return found[1]


def _words(page: str) -> str:
    """Return the page's words, one space between them; a mark inside a sentence does not part its words."""
    return " ".join(html.unescape(_TAG.sub("", _HIDDEN.sub("", page))).split())
