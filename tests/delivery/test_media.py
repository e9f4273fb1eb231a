"""Fetching pictures from a carrier that may be slow, wrong or made to lead us astray."""

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from reminders.delivery.media import MOST_BYTES, Fetched, MediaStore, NotFetched, NotYet
from reminders.delivery.public_addresses import is_public
from tests.delivery.media_server import (
    PNG,
    MediaServer,
    Names,
    certificate,
    goes_on_for_ever,
    hangs,
    leads_to,
    media_server,
    says,
)

ACCOUNT, TOKEN = "AC" + "0" * 32, "a-token"
AUTHORIZATION = aiohttp.encode_basic_auth(ACCOUNT, TOKEN)
STORE = "store.example"
OWN, TRUSTED = certificate(STORE)


def store(carrier: MediaServer, **more: Any) -> MediaStore:
    """The media of a carrier whose address somebody has configured, as that of the sandbox is."""
    options = {"base_url": carrier.url, "is_configured": True, **more}
    return MediaStore(account_sid=ACCOUNT, auth_token=TOKEN, **options)


def open_store(carrier: MediaServer, **more: Any) -> MediaStore:
    """The same in a world where 127.0.0.1 is a public address and `store.example` has a certificate."""
    options: dict[str, Any] = {"resolver": Names(store_example=["127.0.0.1"]), "may_reach": "127.0.0.1".__eq__}
    return store(carrier, tls=TRUSTED, **options | more)


@pytest.fixture
def neighbour() -> Iterator[MediaServer]:
    """A server of our own network, which has a secret and must never be asked."""
    with media_server(says(200, PNG)) as one:
        yield one


def test_a_picture_is_fetched_with_the_accounts_name_and_token() -> None:
    with media_server(says(200, PNG)) as carrier:
        assert store(carrier).fetch(carrier.url + "/Media/ME1") == Fetched(PNG)

    assert carrier.asked == [("GET", "/Media/ME1", AUTHORIZATION)]


def test_the_store_that_the_carrier_leads_to_never_sees_the_token() -> None:
    with (
        media_server(says(200, PNG), host=STORE, tls=OWN) as elsewhere,
        media_server(leads_to(elsewhere.url + "/signed?key=1")) as carrier,
    ):
        assert open_store(carrier).fetch(carrier.url + "/Media/ME1") == Fetched(PNG)

    assert elsewhere.asked == [("GET", "/signed?key=1", None)]


def test_another_port_of_the_carriers_own_host_is_a_stranger_too(neighbour: MediaServer) -> None:
    with media_server(leads_to(neighbour.url)) as carrier:
        assert store(carrier).fetch(carrier.url) == NotFetched("address")

    assert neighbour.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://{own}/",
        "https://{own}/",
        "https://localhost:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://127.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://[64:ff9b::7f00:1]:{port}/",
        "https://0.0.0.0:{port}/",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "https://user:secret@{own}/",
        "file:///etc/passwd",
        "ftp://{own}/",
        "gopher://{own}/",
        "//{own}/",
        "https://",
        "",
    ],
)
def test_the_carrier_cannot_be_made_to_lead_into_our_own_network(neighbour: MediaServer, address: str) -> None:
    there = address.format(own=f"127.0.0.1:{neighbour.port}", port=neighbour.port)
    with media_server(leads_to(there)) as carrier:
        assert store(carrier).fetch(carrier.url) == NotFetched("address")

        assert isinstance(store(carrier).fetch(there), NotFetched)
    assert neighbour.asked == []


def test_a_name_that_turns_into_a_private_address_between_two_looks_is_not_followed() -> None:
    names = Names(store_example=["127.0.0.2", "127.0.0.1"])
    with media_server(says(200, PNG), host=STORE, tls=OWN) as inside, media_server(leads_to(inside.url)) as carrier:
        # 127.0.0.2 plays the public address, with nobody there; the second look would give the private one.
        media = open_store(carrier, resolver=names, may_reach="127.0.0.2".__eq__)
        assert media.fetch(carrier.url) == NotYet("no_answer")
        assert media.fetch(carrier.url) == NotFetched("address")

    assert inside.asked == []
    assert names.looks == [STORE, STORE], "each request looks once, and reaches what that look gave"


def test_a_carrier_that_nobody_configured_has_to_be_public_and_encrypted(neighbour: MediaServer) -> None:
    for base in (neighbour.url, neighbour.url.replace("http:", "https:")):
        media = MediaStore(account_sid=ACCOUNT, auth_token=TOKEN, base_url=base, is_configured=False)
        assert media.fetch(base) == NotFetched("address")
        assert not media.remove(base)

    assert neighbour.asked == []


def test_a_store_with_another_names_certificate_gets_no_request() -> None:
    names = Names(other_example=["127.0.0.1"])
    with (
        media_server(says(200, PNG), host="other.example", tls=OWN) as elsewhere,
        media_server(leads_to(elsewhere.url)) as carrier,
    ):
        assert open_store(carrier, resolver=names).fetch(carrier.url) == NotYet("no_answer")

    assert elsewhere.asked == []


def test_redirects_in_a_circle_end() -> None:
    with media_server(leads_to("/again")) as carrier:
        assert store(carrier).fetch(carrier.url) == NotFetched("address")

    assert len(carrier.asked) == 4


def test_a_large_picture_is_refused_by_the_length_it_claims() -> None:
    with media_server(says(200, Content_Length=str(MOST_BYTES + 1))) as carrier:
        assert store(carrier).fetch(carrier.url) == NotFetched("too_large")


def test_a_body_that_goes_on_for_ever_is_cut_off() -> None:
    with media_server(goes_on_for_ever) as carrier:
        assert store(carrier).fetch(carrier.url) == NotFetched("too_large")


def test_the_largest_picture_is_taken() -> None:
    with media_server(says(200, PNG.ljust(MOST_BYTES))) as carrier:
        assert store(carrier).fetch(carrier.url) == Fetched(PNG.ljust(MOST_BYTES))


def test_what_comes_compressed_is_not_blown_up() -> None:
    with media_server(says(200, b"\x1f\x8b\x08 a bomb", Content_Encoding="gzip")) as carrier:
        assert store(carrier).fetch(carrier.url) == Fetched(b"\x1f\x8b\x08 a bomb")


def test_a_carrier_that_never_answers_is_left_alone() -> None:
    with media_server(hangs) as carrier:
        assert store(carrier, fetch_seconds=0.2).fetch(carrier.url) == NotYet("no_answer")


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (404, NotYet("missing")),
        (401, NotYet("not_allowed")),
        (403, NotYet("not_allowed")),
        (429, NotYet("no_answer")),
        (500, NotYet("no_answer")),
        (503, NotYet("no_answer")),
        (410, NotFetched("missing")),
        (400, NotFetched("missing")),
        (204, NotFetched("missing")),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(status: int, result: object) -> None:
    with media_server(says(status)) as carrier:
        assert store(carrier).fetch(carrier.url) == result


def test_a_carrier_that_is_away_may_come_back() -> None:
    with media_server(says(200)) as carrier:
        pass
    assert store(carrier).fetch(carrier.url) == NotYet("no_answer")


def test_a_copy_is_deleted_at_the_carrier_and_nowhere_else(neighbour: MediaServer) -> None:
    with media_server(says(204), says(404), says(500)) as carrier:
        media = store(carrier)
        assert [media.remove(carrier.url + "/Media/ME1") for _ in range(3)] == [True, True, False]
        assert not media.remove(neighbour.url)
        assert not media.remove("no address")

    assert carrier.asked == [("DELETE", "/Media/ME1", AUTHORIZATION)] * 3
    assert neighbour.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_may_be_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1"),
        *("2001:db8::1", "::127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:808:808::1"),
        *("localhost", "", "127.0.0.1.example"),
    ],
)
def test_addresses_of_our_own_and_of_nobody_may_not(address: str) -> None:
    assert not is_public(address)
