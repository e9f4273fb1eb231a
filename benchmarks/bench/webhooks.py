"""What comes in: status callbacks, patients' texts, and the one that must not wait."""

import random
import time
from datetime import UTC, datetime, timedelta

from benchmarks.bench import rows
from benchmarks.bench.carrier import BenchError
from benchmarks.bench.drains import add_costs, cost
from benchmarks.bench.figures import at_least, at_most, percentile
from benchmarks.bench.posting import Answer, post_all, signed_post
from benchmarks.bench.run import Run

CONNECTIONS = 16
PACE = 100.0
WARM_UP = 40
DANGER_PACE = 5.0
PATIENCE_SECONDS = 60.0
# Not a keyword and no danger: read later, by a task.
WORDS = ("4", "a bit sore still, about 5", "much better thanks", "ok", "seven", "2 out of 10")
DANGER = "I am struggling to get air"


def callbacks(run: Run) -> None:
    """Status callbacks, shuffled, half of them doubled, with valid signatures."""
    texts = run.size(2_000, 300)
    place = run.place("callbacks", patients=2_000)
    rates, costs, wrong = [], [], 0
    for _ in range(run.times):
        wave = run.fresh("callbacks")
        rows.seed(place, wave=wave, texts=texts, due_at=datetime.now(UTC) - timedelta(minutes=1), state="accepted")
        requests = [
            signed_post(f"/webhooks/sms/status/{public_id}/", _status(sid, status))
            for public_id, sid in rows.carrier_ids(place, wave=wave)
            for status in ("sent", "delivered", random.choice(("sent", "delivered")))
        ]
        random.shuffle(requests)
        before, began = run.engine.processor_seconds(), time.monotonic()
        answers = post_all(run.engine.plan.base_url, requests, connections=CONNECTIONS)
        rates.append(len(requests) / (time.monotonic() - began))
        costs.append(cost(run, since=before, things=len(requests)))
        _check(answers, len(requests), 204)
        wrong += texts - rows.states_of(place, wave=wave).get("delivered", 0)
    run.book.add("status callbacks", "shuffled, half doubled", rates, "a second", goal=at_least(1_500))
    add_costs(run, "status callbacks", costs, each="callback")
    run.book.add("status callbacks", "wrong final states", wrong, "texts", goal=at_most(0))


def _status(sid: str, status: str) -> dict[str, str]:
    return {
        "MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "SmsStatus": status,
        "From": "+13125550100", "To": "+13125550101",
    }  # fmt: skip


def inbound(run: Run) -> None:
    """Patients' texts, 100 a second, signed: how long the carrier waits for its answer."""
    halves, ends, reads, costs = [], [], [], []
    place = run.place("inbound", patients=2_000)
    rows.give_texts(place)
    # The first texts of a process load the words it understands.
    post_all(run.engine.plan.base_url, _texts(run, place, WARM_UP), connections=CONNECTIONS)
    _wait_until_read(place)
    for _ in range(run.times):
        count = int(PACE) * run.size(10, 4)
        requests = _texts(run, place, count)
        before = run.engine.processor_seconds()
        answers = post_all(run.engine.plan.base_url, requests, connections=CONNECTIONS, a_second=PACE)
        _check(answers, count, 200)
        halves.append(percentile([one.seconds for one in answers], 0.5) * 1_000)
        ends.append(percentile([one.seconds for one in answers], 0.99) * 1_000)
        reads.append(_wait_until_read(place))
        costs.append(cost(run, since=before, things=count))
    scenario = f"inbound webhook at {PACE:g}/s"
    run.book.add(scenario, "p50", halves, "ms")
    run.book.add(scenario, "p99", ends, "ms", goal=at_most(50))
    run.book.add(scenario, "the last one read", reads, "s after the last was posted")
    add_costs(run, scenario, costs, each="text, reading and answering it included")


def _texts(run: Run, place: rows.Place, count: int) -> list[bytes]:
    """Return signed texts, each from another patient."""
    return [
        signed_post(
            "/webhooks/sms/inbound/",
            _text(run, place.number_of(n % place.patients + 1), place.sender_number, WORDS[n % len(WORDS)]),
        )
        for n in range(count)
    ]


def danger(run: Run) -> None:
    """From a red flag's arrival to the emergency answer at the carrier, alone and beside 5,000 texts that leave."""
    for crowd in (0, run.size(5_000, 1_000)):
        ends = []
        for _ in range(run.times):
            count = run.size(40, 15)
            # Another clinic each time: a phone in danger is not answered twice.
            place = run.place(run.fresh("danger"), patients=count)
            rows.give_texts(place)
            busy = run.place("busy", patients=5_100)
            requests = [
                signed_post("/webhooks/sms/inbound/", _text(run, place.number_of(n + 1), place.sender_number, DANGER))
                for n in range(count)
            ]
            run.stub.reset()
            if crowd:
                due_at = datetime.now(UTC) + timedelta(seconds=crowd / 4_000)
                rows.seed(busy, wave=run.fresh("crowd"), texts=crowd, due_at=due_at)
                time.sleep(max(0.0, due_at.timestamp() - time.time()))
            began = time.time()
            answers = post_all(run.engine.plan.base_url, requests, connections=CONNECTIONS, a_second=DANGER_PACE)
            _check(answers, count, 200)
            ends.append(percentile(_seconds_to_answer(run, place, count, began), 0.99))
            run.stub.wait_for(crowd + count, seconds=PATIENCE_SECONDS)
        beside = f"beside {crowd:,} texts that leave" if crowd else "alone"
        run.book.add("red flag to emergency create", f"p99, {beside}", ends, "s", goal=at_most(1.0))


def _seconds_to_answer(run: Run, place: rows.Place, count: int, began: float) -> list[float]:
    """Return the seconds from each post's moment to its emergency answer at the carrier."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        arrived: dict[str, float] = {}
        for create in run.stub.creates():
            if create.from_number == place.sender_number:
                arrived.setdefault(create.to_number, create.at)
        found = [arrived.get(place.number_of(n + 1)) for n in range(count)]
        seconds = [at - (began + n / DANGER_PACE) for n, at in enumerate(found) if at is not None]
        if len(seconds) == count:
            return seconds
        if time.monotonic() > deadline:
            raise BenchError(f"Only {len(seconds)} of {count} emergencies were answered.")
        time.sleep(0.1)


def _text(run: Run, sender: str, to: str, body: str) -> dict[str, str]:
    sid = f"SM{abs(hash(run.fresh('text'))):032x}"[:34]
    return {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "From": sender, "To": to, "Body": body,
        "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received",
    }  # fmt: skip


def _check(answers: list[Answer], count: int, status: int) -> None:
    wrong = [answer.status for answer in answers if answer.status != status]
    if wrong or len(answers) != count:
        raise BenchError(f"{len(answers)} of {count} posts were answered, {len(wrong)} not with {status}: {wrong[:3]}")


def _wait_until_read(place: rows.Place) -> float:
    """Return how many seconds it took until every text was read."""
    began = time.monotonic()
    deadline = began + PATIENCE_SECONDS
    while rows.unread(place):
        if time.monotonic() > deadline:
            raise BenchError(f"{rows.unread(place)} texts were not read within {PATIENCE_SECONDS:g} s.")
        time.sleep(0.1)
    return time.monotonic() - began
