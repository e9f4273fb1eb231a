"""Phone numbers: E.164 inside, Google's rules (the `phonenumbers` library) at the door.

Numbers for stories and examples: +1, any real area code, 555-0100 to 555-0199. The numbering plan keeps them free of
subscribers, and the library's rules take them as valid.
"""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from reminders.clinic.errors import ReminderError

_PLAIN: Final = re.compile(r"[+0-9\s().\-/\u00a0\u2010-\u2015]+")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_NEVER_A_PATIENT: Final = frozenset(
    {PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN}
)


class PhoneError(ReminderError):
    """What was given is not a phone that could get a text. The sentence never repeats the number."""

    code = "impossible_phone"


def parse_phone(raw: str, *, region: str = "US") -> str:
    """Return `raw` as E.164 (`+13125550123`); numbers without a country code are read as in `region`.

    Letters and extensions are refused, not translated: a letter O typed for a zero would text a stranger.
    Raises PhoneError with a sentence a user can act on.
    """
    number = _read(raw, region)
    if phonenumbers.number_type(number) in _NEVER_A_PATIENT:
        raise PhoneError("This is a toll-free or service number: enter the patient's own mobile number.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def parse_own_number(raw: str, *, region: str = "US") -> str:
    """Return a number that a clinic is called at or texts from as E.164; it may well be a toll-free one.

    Raises PhoneError as `parse_phone` does.
    """
    return phonenumbers.format_number(_read(raw, region), PhoneNumberFormat.E164)


def _read(raw: str, region: str) -> phonenumbers.PhoneNumber:
    text = raw.strip()
    if not text:
        raise PhoneError("The phone is empty: enter a mobile number, like 312 555 0123.")
    if not _PLAIN.fullmatch(text):
        raise PhoneError("The phone holds letters or an extension: enter digits only, like 312 555 0123.")
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        raise PhoneError(
            "The phone cannot be read: enter area code and number, or + and the country code first."
        ) from None
    if not phonenumbers.is_possible_number(number):
        raise PhoneError("The phone has too many or too few digits: check it, with its area code.")
    if not phonenumbers.is_valid_number(number):
        raise PhoneError("No phone can have this number: check its area code and its digits.")
    return number


def is_e164(number: str) -> bool:
    """Tell whether this is a full phone number, and no short code or name of a sender."""
    return _E164.fullmatch(number) is not None


def format_phone(number: str) -> str:
    """Return an E.164 number as people write it: `(312) 555-0123` in North America, with the country code elsewhere.

    What is not E.164 (a short code) is returned unchanged.
    """
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return number
    style = PhoneNumberFormat.NATIONAL if parsed.country_code == 1 else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)


def mask_phone(number: str) -> str:
    """Return the number with all but its last two digits hidden: enough to tell two phones of one patient apart."""
    digits = [character for character in number if character.isdigit()]
    return f"•••{''.join(digits[-2:])}" if len(digits) > 4 else "•••"
