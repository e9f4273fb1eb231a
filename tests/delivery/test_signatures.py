"""Who may call us: the carrier's signature over address and form."""

from collections.abc import Mapping, Sequence

import pytest
from twilio.request_validator import RequestValidator

from reminders.delivery.twilio_carrier import TwilioCarrier
from tests.delivery.outgoing import ACCOUNT, TOKEN

URL = "https://clinic.example/webhooks/sms/inbound/"
FORM: Mapping[str, Sequence[str]] = {"Body": ["still sore"], "From": ["+13125550101"], "AccountSid": [ACCOUNT]}

carrier = TwilioCarrier(account_sid=ACCOUNT, auth_token=TOKEN)


def signature(url: str = URL, form: Mapping[str, Sequence[str]] = FORM, *, token: str = TOKEN, how: str = "") -> str:
    """Sign as the carrier does: each name followed by each of its values, all sorted."""
    flat = {
        name: "".join(f"{name if n else ''}{v}" for n, v in enumerate(sorted(set(values))))
        for name, values in form.items()
    }
    signed: str = RequestValidator(token).compute_signature(url, flat, how or None)
    return signed


def accepts(
    url: str = URL, form: Mapping[str, Sequence[str]] = FORM, *, signed: str | None = None, settings: str | None = None
) -> bool:
    headers = {"X-Twilio-Signature": signed, "X-Twilio-Webhooks-Signature-Settings": settings}
    return carrier.is_authentic(url=url, form=form, headers={k: v for k, v in headers.items() if v is not None})


def test_the_vector_that_the_carrier_publishes() -> None:
    theirs = TwilioCarrier(account_sid=ACCOUNT, auth_token="12345")
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Caller": ["+14158675309"],
        "Digits": ["1234"],
        "From": ["+14158675309"],
        "To": ["+18005551212"],
    }

    assert theirs.is_authentic(
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
        form=form,
        headers={"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
    )


def test_a_signed_form_is_authentic() -> None:
    assert accepts(signed=signature())


@pytest.mark.parametrize("wrong", [None, "", "x", signature(token="another"), signature(URL + "?x=1"), "ü" * 28])
def test_a_missing_or_wrong_signature_is_not(wrong: str | None) -> None:
    assert not accepts(signed=wrong)


@pytest.mark.parametrize(
    "changed",
    [
        {**FORM, "Body": ["STOP"]},
        {**FORM, "Extra": ["1"]},
        {name: values for name, values in FORM.items() if name != "Body"},
    ],
)
def test_a_changed_form_is_not(changed: Mapping[str, Sequence[str]]) -> None:
    assert not accepts(form=changed, signed=signature())


def test_blank_values_are_part_of_what_is_signed() -> None:
    form = {**FORM, "Body": [""], "MediaUrl0": [""]}

    assert accepts(form=form, signed=signature(form=form))
    assert not accepts(form={**FORM, "Body": [""]}, signed=signature(form=form))


def test_repeated_keys_count_as_their_set_of_values_in_order() -> None:
    form = {**FORM, "Tag": ["b", "a", "b"]}

    assert accepts(form=form, signed=signature(form={**FORM, "Tag": ["a", "b"]}))
    assert not accepts(form=form, signed=signature(form={**FORM, "Tag": ["a"]}))


@pytest.mark.parametrize(
    ("signed_for", "shown"),
    [
        (URL, "https://clinic.example:443/webhooks/sms/inbound/"),
        ("https://clinic.example:443/webhooks/sms/inbound/", URL),
        ("http://127.0.0.1:8000/x/", "http://127.0.0.1:8000/x/"),
    ],
)
def test_the_port_may_be_named_or_not(signed_for: str, shown: str) -> None:
    assert accepts(shown, signed=signature(signed_for))


def test_another_host_is_not_ours() -> None:
    assert not accepts("https://elsewhere.example/webhooks/sms/inbound/", signed=signature())


def test_the_newer_algorithm_is_read_from_its_header() -> None:
    named = "key=abc,algorithm=HMAC_SHA256"

    assert accepts(signed=signature(how="HMAC_SHA256"), settings=named)
    assert not accepts(signed=signature(), settings=named)


def test_an_unknown_algorithm_is_refused() -> None:
    assert not accepts(signed=signature(), settings="key=abc,algorithm=ROT13")


@pytest.mark.parametrize("url", ["", "https://clinic.example:port/", "https://[broken/"])
def test_an_address_that_cannot_be_read_is_refused_without_a_fuss(url: str) -> None:
    assert not accepts(url, signed=signature())
