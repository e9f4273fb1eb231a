"""The control API's hands on a phone: answer, press, hang up, let it ring out."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from reminders.sandbox.records import Call

if TYPE_CHECKING:
    from reminders.sandbox.carrier import Carrier

ACTIONS = ("answer", "voicemail", "busy", "no-answer", "failed", "press", "silence", "hangup")


async def act(carrier: "Carrier", call: Call, action: str, *, digits: str = "") -> None:
    """Do one thing with a phone that rings or talks. Raises ValueError where it can't be done now."""
    board = carrier.switchboard
    match action:
        case "press":
            await board.press(call, digits)
        case "silence":
            await board.press(call, None)
        case "hangup":
            await board.end(call, "completed" if call.status == "in-progress" else "no-answer")
        case "answer" | "voicemail" | "busy" | "no-answer" | "failed":
            await board.pick_up(call, action)
        case _:
            raise ValueError(f"a call takes {', '.join(ACTIONS)}")


async def on_call(carrier: "Carrier", request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """Do one thing with a call; answers once it listens for a key or is over, with all that was said."""
    call = carrier.ledger.calls.get(request.match_info["sid"])
    if call is None:
        raise LookupError("no such call")
    await act(carrier, call, request.match_info["action"], digits=str(wish.get("digits", "")))
    return call.as_record()


ROUTES: tuple[tuple[str, str, Callable[["Carrier", web.Request, dict[str, Any]], Awaitable[Any]]], ...] = (
    ("POST", "calls/{sid}/{action}", on_call),
)
