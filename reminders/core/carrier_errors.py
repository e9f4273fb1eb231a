"""What an error of the carrier means for us, by its code. Codes are read, texts never are.

Source of the codes: Twilio's error dictionary (with additions up to 2026). Newer codes exist, so every unknown one has
a safe default: not sent again, shown to a person.
"""

from collections.abc import Mapping
from enum import StrEnum


class Fault(StrEnum):
    """What has to happen after a refusal or a failed delivery."""

    BACK_OFF = "back_off"  # proven not processed: the same message goes out later
    NUMBER_INVALID = "number_invalid"  # no such number: no more texts to it, the clinic is told
    NUMBER_CANNOT_TEXT = "number_cannot_text"  # landline
    NUMBER_DEAD = "number_dead"  # no longer in service
    UNREACHABLE = "unreachable"  # switched off or out of reach
    BLOCKED = "blocked"  # blocked or filtered on the way
    NO_ROUTE = "no_route"  # this account or sender may not text this number: the others are not held for it
    OPTED_OUT = "opted_out"  # the carrier knows an opt-out: mirrored at once
    SENDER_FAULT = "sender_fault"  # the sender's set-up: the queue of this sender is held
    ACCOUNT_STOPPED = "account_stopped"  # credentials or suspension: everything is held, an operator is needed
    CONTENT = "content"  # the words or the request: a fault of ours
    UNKNOWN = "unknown"


_CODES: Mapping[Fault, tuple[int, ...]] = {
    Fault.BACK_OFF: (20429, 21611),
    Fault.ACCOUNT_STOPPED: (20003, 20404, 30002),
    Fault.NUMBER_INVALID: (21211, 21214, 21217, 63003, 63024),
    Fault.NUMBER_CANNOT_TEXT: (21614, 21635, 30006),
    Fault.NUMBER_DEAD: (30005,),
    Fault.UNREACHABLE: (30003, 30008, 30017, 30001, 30410, 30450, 30022, 30023, 30027),
    Fault.BLOCKED: (30004, 30007, 21216, 63014, 63033),
    Fault.NO_ROUTE: (21408, 21608, 21612),
    Fault.OPTED_OUT: (21610,),
    Fault.SENDER_FAULT: (
        *(21212, 21603, 21606, 21703, 21704, 21705, 21609),
        *(30024, 30032, 30033, 30034, 30035),
    ),
    Fault.CONTENT: (21602, 21604, 21605, 21617, 21619, 21620, 21654, 21655, 21656),
}

FAULT_OF: Mapping[int, Fault] = {code: fault for fault, codes in _CODES.items() for code in codes}


def fault_of(*, code: int | None, http_status: int | None = None) -> Fault:
    """Return what a refusal means.

    429 always backs off. 401, 403 and 404 stop the account unless a known code says better: the address of a create
    holds nothing but the account, so not found means a wrong account or address, and no message is at fault.
    """
    if http_status == 429:
        return Fault.BACK_OFF
    if code is not None and code in FAULT_OF:
        return FAULT_OF[code]
    if http_status in (401, 403, 404):
        return Fault.ACCOUNT_STOPPED
    return Fault.UNKNOWN
