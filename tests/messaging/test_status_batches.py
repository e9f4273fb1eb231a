"""Many callbacks in one transaction: the same end as one by one, and no one spoils it for the others."""

from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminders.clinic.models import AuditEvent, Patient, PatientPhone
from reminders.core.states import CARRIER_RANK, CARRIER_STATE
from reminders.messaging.models import CarrierEvent, Message
from reminders.messaging.status import Heard, Report, record_reports
from tests.factories import make_message
from tests.messaging.carriers import new_sid
from tests.messaging.conftest import NOON
from tests.messaging.outbox_steps import again
from tests.messaging.threads import run_at_once

pytestmark = pytest.mark.django_db
# Rows are made anew for each example, within the one transaction of the test.
WITHIN_A_TEST = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ENDS = ["delivered", "undelivered", "failed", "read"]
_runs = count(1)


def report(message: Message, status: str, *, sid: str = "", code: int | None = None) -> Report:
    return Report(message.public_id, sid or message.carrier_sid, status, code)


def in_batches(reports: list[Report], sizes: list[int]) -> list[Heard]:
    """Tell them all in batches of these sizes, in turn, and then one by one."""
    heard: list[Heard] = []
    rest = list(reports)
    for size in [*sizes, *[1] * len(reports)]:
        batch, rest = rest[:size], rest[size:]
        heard += record_reports(reports=batch, now=NOON) if batch else []
    return heard


@st.composite
def shuffled_and_doubled(draw: st.DrawFn) -> list[tuple[int, str]]:
    """What the carrier says of three texts: the usual words and one end each, all twice, in any order."""
    words = []
    for text in range(3):
        words += [(text, status) for status in ("queued", "sending", "sent") if draw(st.booleans())]
        words.append((text, draw(st.sampled_from(ENDS))))
    return draw(st.permutations([*words, *words]))


@WITHIN_A_TEST
@given(words=shuffled_and_doubled(), sizes=st.lists(st.integers(1, 7), max_size=6))
def test_shuffled_and_doubled_callbacks_end_where_the_highest_rank_is(
    patient: Patient, words: list[tuple[int, str]], sizes: list[int]
) -> None:
    texts = [make_message(patient=patient, state="accepted", due_at=NOON) for _ in range(3)]

    in_batches([report(texts[text], status) for text, status in words], sizes)

    for number, text in enumerate(texts):
        said = [status for of, status in words if of == number]
        assert again(text).state == CARRIER_STATE[max(said, key=lambda status: CARRIER_RANK[status])]
        assert CarrierEvent.objects.filter(message=text).count() == len(said)


def standings(texts: list[Message]) -> list[dict[str, Any]]:
    fields = ("state", "reason", "error_code", "carrier_rank", "accepted_at")
    rows = Message.objects.filter(pk__in=[text.pk for text in texts]).order_by("id")
    return [
        {**row, "events": list(CarrierEvent.objects.filter(message=pk).order_by("id").values_list("status", "applied"))}
        for row, pk in zip(rows.values(*fields), rows.values_list("pk", flat=True), strict=True)
    ]


STATES = ["scheduled", "sending", "ambiguous", "unresolved", "cancelled"]
A_WORD = st.tuples(
    st.integers(0, 3),
    st.sampled_from([*CARRIER_RANK, "a new word", ""]),
    st.sampled_from([None, 30008, 30003, 30007]),
    st.sampled_from(["first", "first", "first", "second", ""]),
)


@WITHIN_A_TEST
@given(
    states=st.lists(st.sampled_from(STATES), min_size=4, max_size=4),
    words=st.lists(A_WORD, max_size=14),
    sizes=st.lists(st.integers(1, 9), max_size=5),
)  # fmt: skip
def test_a_batch_does_what_one_by_one_would_do(
    patient: Patient, states: list[str], words: list[tuple[int, str, int | None, str]], sizes: list[int]
) -> None:
    ends = []
    for how_many_at_once in (sizes, []):
        run = next(_runs)
        texts = [
            make_message(patient=patient, state=state, reason="voided", attempts=int(state != "scheduled"), due_at=NOON)
            for state in states
        ]
        told = [
            Report(texts[text].public_id, f"SM{run}-{text}-{sid}" if sid else "", status, code)
            for text, status, code, sid in words
        ]
        in_batches(told, how_many_at_once)
        ends.append(standings(texts))

    assert ends[0] == ends[1]


def test_one_that_cannot_be_stored_spoils_the_batch_and_alone_is_kept_without_effect(patient: Patient) -> None:
    """An id that another text has: the carrier is broken there, and everybody else's callbacks count all the same."""
    taken = make_message(patient=patient, state="accepted", due_at=NOON)
    fine, odd = (make_message(patient=patient, state="sending", attempts=1, due_at=NOON) for _ in range(2))
    good, bad = report(fine, "sent", sid=new_sid()), report(odd, "sent", sid=taken.carrier_sid)

    with pytest.raises(IntegrityError), transaction.atomic():
        record_reports(reports=[good, bad], now=NOON)

    assert [record_reports(reports=[one], now=NOON, alone=True) for one in (good, bad)] == [[Heard.MOVED], [Heard.KEPT]]
    assert (again(fine).state, again(odd).state, again(odd).carrier_sid) == ("sent", "sending", "")
    assert CarrierEvent.objects.get(message=odd).carrier_sid == taken.carrier_sid


@pytest.mark.parametrize(
    "odd",
    [
        *({"status": "x" * 500}, {"carrier_sid": "S" * 500}, {"error_code": 10**30}),
        *({"error_code": -5}, {"status": "\U0001f600"}),
    ],
    ids=["long status", "long id", "huge code", "negative code", "another script"],
)  # fmt: skip
def test_odd_values_are_kept_as_far_as_they_go_and_move_nobody_else(patient: Patient, odd: dict[str, Any]) -> None:
    text, other = (make_message(patient=patient, state="accepted", due_at=NOON) for _ in range(2))
    strange = Report(
        **{"public_id": other.public_id, "carrier_sid": new_sid(), "status": "", "error_code": None, **odd}
    )

    heard = record_reports(reports=[strange, report(text, "delivered")], now=NOON)

    assert heard == [Heard.KEPT, Heard.MOVED]
    assert (again(text).state, again(other).state) == ("delivered", "accepted")


def test_callbacks_of_nobody_are_kept_beside_those_of_somebody(patient: Patient) -> None:
    text = make_message(patient=patient, state="accepted", due_at=NOON)

    record_reports(reports=[Report(uuid4(), new_sid(), "sent"), report(text, "sent")], now=NOON)

    assert list(CarrierEvent.objects.order_by("id").values_list("message", "applied")) == [
        (None, False),
        (text.pk, True),
    ]


def test_two_ids_for_one_text_in_one_batch_raise_the_alarm(patient: Patient) -> None:
    text = make_message(patient=patient, state="sending", attempts=1, due_at=NOON)

    heard = record_reports(reports=[report(text, "sent", sid=new_sid()), report(text, "sent", sid=new_sid())], now=NOON)

    assert heard == [Heard.MOVED, Heard.KEPT]
    assert AuditEvent.objects.get(verb="second_carrier_id").subject_id == text.pk


def test_a_failure_within_a_batch_marks_its_phone_also_where_a_better_word_follows(patient: Patient) -> None:
    text = make_message(patient=patient, state="accepted", due_at=NOON)

    record_reports(reports=[report(text, "undelivered", code=30003), report(text, "delivered")], now=NOON)

    assert again(text).state == "delivered"
    assert PatientPhone.objects.get(patient=patient).state == "unreachable"


@pytest.mark.parametrize(
    ("code", "alone"), [(21610, True), (30005, True), (30034, True), (30008, False), (None, False)]
)
def test_what_touches_other_rows_does_not_share_a_transaction(code: int | None, alone: bool) -> None:
    assert Report(uuid4(), new_sid(), "failed", code).must_be_alone is alone


@pytest.mark.django_db(transaction=True)
def test_a_message_that_somebody_holds_keeps_no_other_callback_waiting(patient: Patient) -> None:
    held, free = (make_message(patient=patient, state="accepted", due_at=NOON) for _ in range(2))
    told: list[Heard] = []

    def tell() -> None:
        told.extend(record_reports(reports=[report(held, "sent"), report(free, "sent")], now=NOON))

    with transaction.atomic():
        Message.objects.select_for_update().get(pk=held.pk)
        run_at_once([tell])

    assert told == [Heard.NOT_STORED, Heard.MOVED]
    assert not CarrierEvent.objects.filter(message=held).exists()
    assert record_reports(reports=[report(held, "sent")], now=NOON, alone=True) == [Heard.MOVED]


def test_a_batch_costs_the_same_few_statements_whatever_its_size(
    patient: Patient, django_assert_max_num_queries: Any
) -> None:
    texts = [make_message(patient=patient, state="accepted", due_at=NOON) for _ in range(30)]
    assert connection.in_atomic_block

    with django_assert_max_num_queries(5):  # with the two of the savepoint
        record_reports(reports=[report(text, "delivered") for text in texts], now=NOON)
