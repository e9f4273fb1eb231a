"""Lists as Twilio pages them: newest first, with a token that new arrivals do not shift."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from reminders.sandbox.wire import CarrierError

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


class Listed(Protocol):
    """Anything with a place in the order of arrival."""

    sid: str
    serial: int
    deleted: bool


Item = TypeVar("Item", bound=Listed)


def _day_or_moment(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last moment that a date or a date with time stands for."""
    try:
        if len(text) == 10:
            start = datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
            return start, start + timedelta(days=1) - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CarrierError(20001, message="A date is not in ISO 8601") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, moment + timedelta(microseconds=999_999 - moment.microsecond)


def date_filter(query: Any, name: str) -> Callable[[datetime | None], bool]:
    """Return a test for `Name`, `Name<` and `Name>` of a query; both bounds include the named day or second."""
    bounds: list[tuple[datetime | None, datetime | None]] = []
    if name in query:
        # Twilio's clients write a date as its midnight, and mean the day.
        bounds.append(_day_or_moment(query[name].removesuffix("T00:00:00Z")))
    if name + "<" in query:
        bounds.append((None, _day_or_moment(query[name + "<"])[1]))
    if name + ">" in query:
        bounds.append((_day_or_moment(query[name + ">"])[0], None))

    def matches(moment: datetime | None) -> bool:
        if not bounds:
            return True
        if moment is None:
            return False
        return all((low is None or low <= moment) and (high is None or moment <= high) for low, high in bounds)

    return matches


def _number(query: Any, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise CarrierError(20001, message=f"'{name}' is not a number")
    return int(text)


def page_of(
    request: web.Request,
    items: Sequence[Item],
    key: str,
    *,
    wanted: Callable[[Item], bool],
    show: Callable[[Item], Any],
) -> dict[str, Any]:
    """Return one page of `items` (given oldest first) under `key`, with the addresses of the pages around it."""
    query = request.query
    size = min(_number(query, "PageSize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE
    page = _number(query, "Page", 0)
    token = query.get("PageToken", "")
    skip = 0 if token else page * size
    end = len(items)
    if token:
        serial = _number({"PageToken": token.removeprefix("PA")}, "PageToken", 0)
        end = bisect_left(items, serial, key=lambda item: item.serial)
    found: list[Item] = []
    more = False
    for index in range(end - 1, -1, -1):
        item = items[index]
        if item.deleted or not wanted(item):
            continue
        if skip:
            skip -= 1
        elif len(found) < size:
            found.append(item)
        else:
            more = True
            break
    filters = [(k, v) for k, v in query.items() if k not in {"Page", "PageToken", "PageSize"}]

    def address(number: int, page_token: str = "") -> str:
        fields = [*filters, ("PageSize", str(size)), ("Page", str(number))]
        return f"{request.path}?{urlencode([*fields, ('PageToken', page_token)] if page_token else fields)}"

    return {
        "first_page_uri": address(0),
        "end": page * size + max(len(found) - 1, 0),
        "next_page_uri": address(page + 1, f"PA{found[-1].serial}") if more else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": address(page - 1) if page else None,
        "start": page * size,
        "uri": address(page, token),
        key: [show(item) for item in found],
    }
