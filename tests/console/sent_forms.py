"""What a browser would send from a form, read from the page itself."""

from html.parser import HTMLParser
from typing import Any, Protocol


class Answer(Protocol):
    """A response with a page in it."""

    content: bytes


class _Fields(HTMLParser):
    def __init__(self, html: str, action: str) -> None:
        super().__init__()
        self.found: dict[str, Any] = {}
        self._action, self._is_inside, self._select = action, False, ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("action") == self._action
        if not self._is_inside:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.found.setdefault(name, []).append(value)
        elif tag == "input" and name != "csrfmiddlewaretoken":
            self.found[name] = value
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given or self._select not in self.found):
            self.found[self._select] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False


def fields_of(response: Answer, *, action: str) -> dict[str, Any]:
    """Return the fields of the forms with this action as a browser would send them, without any button."""
    return _Fields(response.content.decode(), action).found
