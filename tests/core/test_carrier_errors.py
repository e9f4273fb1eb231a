"""What each code of the carrier leads to. The left column is Twilio's error dictionary."""

import pytest

from reminders.core.carrier_errors import FAULT_OF, Fault, fault_of


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        ((20429, 21611), Fault.BACK_OFF),
        ((20003, 20404, 30002), Fault.ACCOUNT_STOPPED),
        ((21211, 21217, 63003, 63024), Fault.NUMBER_INVALID),
        ((21614, 21635, 30006), Fault.NUMBER_CANNOT_TEXT),
        ((30005,), Fault.NUMBER_DEAD),
        ((30001, 30003, 30008, 30017, 30022, 30023, 30027, 30410, 30450), Fault.UNREACHABLE),
        ((30004, 30007, 63014, 63033), Fault.BLOCKED),
        ((21610,), Fault.OPTED_OUT),
        ((21212, 21603, 21606, 21609, 21703, 21704, 21705), Fault.SENDER_FAULT),
        ((30024, 30032, 30033, 30034, 30035), Fault.SENDER_FAULT),
        ((21602, 21617, 21619, 21620, 21654, 21655, 21656), Fault.CONTENT),
    ],
)
def test_known_codes(codes: tuple[int, ...], fault: Fault) -> None:
    assert {code: fault_of(code=code, http_status=400) for code in codes} == dict.fromkeys(codes, fault)


@pytest.mark.parametrize("code", [21408, 21608, 21612])
def test_a_number_that_the_sender_may_not_text_does_not_hold_the_others(code: int) -> None:
    assert fault_of(code=code, http_status=400) is Fault.NO_ROUTE


@pytest.mark.parametrize("code", [None, 10001, 39999, 99999])
def test_unknown_codes_are_neither_sent_again_nor_hold_anybody(code: int | None) -> None:
    assert fault_of(code=code, http_status=400) is Fault.UNKNOWN
    assert fault_of(code=code) is Fault.UNKNOWN


@pytest.mark.parametrize("code", [None, 20429, 63018, 12345])
def test_429_backs_off_whatever_its_code(code: int | None) -> None:
    assert fault_of(code=code, http_status=429) is Fault.BACK_OFF


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_account_is_no_fault_of_the_message(status: int) -> None:
    assert fault_of(code=None, http_status=status) is Fault.ACCOUNT_STOPPED
    assert fault_of(code=20008, http_status=status) is Fault.ACCOUNT_STOPPED


def test_a_known_code_says_more_than_its_status() -> None:
    assert fault_of(code=21610, http_status=403) is Fault.OPTED_OUT


def test_every_fault_but_unknown_has_codes() -> None:
    assert set(FAULT_OF.values()) == set(Fault) - {Fault.UNKNOWN}
