"""Every fault that can be switched on, as the product would meet it."""

import time

import pytest
import requests

from tests.sandbox.harness import CLINIC, PATIENT, Sandbox

TEXT = {"To": PATIENT, "From": CLINIC, "Body": "hi"}


def create(carrier: Sandbox, *, timeout: float = 5, **changes: str) -> requests.Response:
    """Post a create without Twilio's client."""
    # A fresh connection each time, so that one that was cut is not met again.
    url = carrier.account_url + "/Messages.json"
    auth = (carrier.carrier.settings.account_sid, carrier.carrier.settings.auth_token)
    return requests.post(url, data=TEXT | changes, auth=auth, timeout=timeout)


def processed(carrier: Sandbox) -> int:
    """How many creates the carrier really took."""
    count: int = carrier.control("GET", "tally")["creates"]
    return count


def fault(carrier: Sandbox, effect: str, **rule: object) -> dict[str, object]:
    """Switch a fault on."""
    answer: dict[str, object] = carrier.control("POST", "faults", {"effect": effect, **rule})
    return answer


def test_429_comes_with_or_without_retry_after_and_processes_nothing(carrier: Sandbox) -> None:
    fault(carrier, "too_many", first=1, retry_after=7)
    fault(carrier, "too_many", first=1)

    first, second, third = create(carrier), create(carrier), create(carrier)

    assert (first.status_code, first.json()["code"], first.headers["Retry-After"]) == (429, 20429, "7")
    assert (second.status_code, "Retry-After" in second.headers) == (429, False)
    assert third.status_code == 201
    assert processed(carrier) == 1


def test_a_full_queue_is_429_with_its_own_code(carrier: Sandbox) -> None:
    fault(carrier, "queue_full")

    assert create(carrier).json()["code"] == 21611


@pytest.mark.parametrize(("status", "taken"), [(500, False), (500, True), (503, False), (503, True)])
def test_a_server_error_comes_before_or_after_processing(carrier: Sandbox, status: int, taken: bool) -> None:
    fault(carrier, "error", status=status, processed=taken)

    answer = create(carrier)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert processed(carrier) == int(taken)


@pytest.mark.parametrize("taken", [False, True])
def test_a_reset_cuts_the_connection_before_or_after_processing(carrier: Sandbox, taken: bool) -> None:
    fault(carrier, "reset", processed=taken)

    with pytest.raises(requests.ConnectionError):
        create(carrier)

    assert processed(carrier) == int(taken)


@pytest.mark.parametrize("taken", [False, True])
def test_a_hang_never_answers(carrier: Sandbox, taken: bool) -> None:
    fault(carrier, "hang", processed=taken)

    with pytest.raises(requests.ReadTimeout):
        create(carrier, timeout=0.2)

    assert processed(carrier) == int(taken)


def test_a_truncated_answer_was_processed(carrier: Sandbox) -> None:
    fault(carrier, "truncate")

    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        create(carrier)

    assert processed(carrier) == 1


def test_a_delay_answers_late(carrier: Sandbox) -> None:
    fault(carrier, "delay", seconds=0.2)
    started = time.monotonic()

    assert create(carrier).status_code == 201
    assert time.monotonic() - started >= 0.2


def test_a_delayed_answer_may_come_long_after_its_callbacks(carrier: Sandbox) -> None:
    fault(carrier, "delay", seconds=2, processed=True)

    with pytest.raises(requests.ReadTimeout):
        create(carrier, timeout=0.2, StatusCallback=carrier.product.base_url + "/status/")
    carrier.posted(count=2)

    assert statuses(carrier) == ["sent", "delivered"]
    assert processed(carrier) == 1


def test_credentials_can_be_refused_and_taken_again(carrier: Sandbox) -> None:
    rule = fault(carrier, "unauthorized")

    assert create(carrier).json()["code"] == 20003
    assert carrier.control("DELETE", f"faults?id={rule['id']}") == {"removed": 1}
    assert create(carrier).status_code == 201


def test_a_rule_strikes_only_its_operation_its_number_and_after_its_skip(carrier: Sandbox) -> None:
    fault(carrier, "error", operation="messages.create", to=PATIENT, skip=1, first=1)

    assert carrier.raw("GET", "/Messages.json").status_code == 200
    assert create(carrier, To="+13125550102").status_code == 201
    assert [create(carrier).status_code for _ in range(3)] == [201, 500, 201]


def test_a_rule_may_name_the_beginning_of_numbers(carrier: Sandbox) -> None:
    fault(carrier, "error", to="+1312555*")

    assert create(carrier, To="+13125550102").status_code == 500
    assert create(carrier, To="+17735550102").status_code == 201


def test_a_create_can_be_refused_with_any_code_for_a_while(carrier: Sandbox) -> None:
    fault(carrier, "refuse", code=21610, first=1)

    refused, taken = create(carrier), create(carrier)

    assert (refused.status_code, refused.json()["code"], taken.status_code) == (400, 21610, 201)
    assert processed(carrier) == 1


@pytest.mark.parametrize("taken", [False, True])
def test_an_answer_can_be_garbled(carrier: Sandbox, taken: bool) -> None:
    fault(carrier, "garble", processed=taken)

    answer = create(carrier)

    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (201, "text/html")
    assert processed(carrier) == int(taken)


def test_an_answer_can_carry_the_id_of_the_text_before(carrier: Sandbox) -> None:
    fault(carrier, "other_sid")

    first, second, third = (create(carrier).json()["sid"] for _ in range(3))
    kept = [text["sid"] for text in carrier.control("GET", "state")["messages"]]

    assert len(set(kept)) == 3
    assert [first, second, third] == [kept[0], kept[0], kept[1]]


def test_chance_is_repeatable_by_its_seed(carrier: Sandbox) -> None:
    def run() -> list[int]:
        carrier.control("DELETE", "faults")
        fault(carrier, "error", probability=0.5, seed=7)
        return [create(carrier).status_code for _ in range(12)]

    first = run()

    assert set(first) == {201, 500}
    assert run() == first


def test_fresh_texts_can_be_missing_from_lists(carrier: Sandbox) -> None:
    fault(carrier, "list_lag", seconds=60)
    create(carrier)

    assert carrier.client.messages.list(to=PATIENT) == []
    carrier.control("DELETE", "faults")
    assert len(carrier.client.messages.list(to=PATIENT)) == 1


def statuses(carrier: Sandbox) -> list[str]:
    """The statuses that arrived, in order."""
    return [one.params["MessageStatus"] for one in carrier.product.at("/status/")]


def with_callback(carrier: Sandbox) -> str:
    """Create a text whose progress is told; return its sid."""
    sid: str = create(carrier, StatusCallback=carrier.product.base_url + "/status/").json()["sid"]
    return sid


def test_callbacks_can_be_doubled(carrier: Sandbox) -> None:
    fault(carrier, "doubled")
    with_callback(carrier)

    carrier.posted(count=4)

    assert statuses(carrier) == ["sent", "sent", "delivered", "delivered"]


def test_callbacks_can_be_reordered(carrier: Sandbox) -> None:
    fault(carrier, "reordered", first=1)
    with_callback(carrier)

    carrier.posted(count=2)

    assert statuses(carrier) == ["delivered", "sent"]


def test_callbacks_can_be_lost(carrier: Sandbox) -> None:
    fault(carrier, "lost", first=1)
    with_callback(carrier)

    lost, posted = carrier.posted(count=2)

    assert statuses(carrier) == ["delivered"]
    assert {lost["fault"], posted["fault"]} == {"lost", None}


def test_callbacks_can_be_late(carrier: Sandbox) -> None:
    fault(carrier, "late", seconds=0.3, first=1)
    started = time.monotonic()
    with_callback(carrier)

    carrier.posted(count=2)

    assert statuses(carrier) == ["delivered", "sent"]
    assert time.monotonic() - started >= 0.3


def test_callbacks_can_be_forged(carrier: Sandbox) -> None:
    fault(carrier, "forged")
    with_callback(carrier)

    carrier.posted(count=2)

    assert not any(one.signed_with(carrier.carrier.settings.auth_token) for one in carrier.product.arrived)


@pytest.mark.parametrize(
    "wish", [{"effect": "sneeze"}, {"effect": "delay", "secs": 1}, {"effect": "delay", "first": "x"}]
)
def test_a_fault_that_cannot_be_read_is_refused(carrier: Sandbox, wish: dict[str, object]) -> None:
    assert "error" in carrier.control("POST", "faults", wish, status=400)
    assert carrier.control("GET", "state")["faults"] == []
