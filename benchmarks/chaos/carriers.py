"""Faults of the carrier. Each strikes the numbers of its own wave alone, so that any of them can be there at once."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from threading import Event, Thread

import requests
from django.db import connections

from benchmarks.chaos import rows
from benchmarks.chaos.crowd import Wanted, Wave
from benchmarks.chaos.field import LOOK_AGAIN_SECONDS, Field, patiently
from benchmarks.chaos.processes import LATER
from reminders import clock
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import Clinician
from reminders.core.states import MessageState
from reminders.messaging.models import Sender
from reminders.messaging.senders import resume_sender

# Long enough that callbacks are there before the answer.
ANSWERED_AFTER_SECONDS = 2.0
HANGS = 6
ALARM = "sender_paused"
DRAIN_SECONDS = 20.0
FORGED_EVERY_SECONDS = 0.1
# Longer than any carrier takes, and none at all.
TOO_LONG, NOTHING = "Far too many words. " * 90, ""

Wish = Mapping[str, object]
Together = Callable[[Field, str], AbstractContextManager[None]]


@contextmanager
def bad_carrier(field: Field, name: str, *wishes: Wish) -> Iterator[None]:
    """A wave whose numbers meet these faults, for as long as the block lasts."""
    wave = field.open_wave(name)
    with ExitStack() as rules:
        for wish in wishes:
            _switch_on(field, wave, rules, wish)
        yield


def _switch_on(field: Field, wave: Wave, rules: ExitStack, wish: Wish) -> None:
    usual = {"operation": "messages.create", "probability": 0.4, "seed": field.rng.randrange(10**6)}
    for prefix in wave.prefixes:
        rules.enter_context(field.carrier_fault(**{**usual, **wish, "to": f"{prefix}*"}))  # type: ignore[arg-type]


def blind(field: Field, name: str) -> AbstractContextManager[None]:
    """500 after processing, and no callback ever: only the carrier's own list can tell."""
    unheard: Wish = {"effect": "lost", "operation": "message.status", "probability": 1.0}
    return bad_carrier(field, name, {"effect": "error", "processed": True, "probability": 0.6}, unheard)


@contextmanager
def opted_out(field: Field, name: str) -> Iterator[None]:
    """The carrier knows of opt-outs (21610) and says so once; a later text of the same phone it would carry."""
    wave = field.open_wave(name)
    gone = field.rng.sample(wave.texts, k=-(-len(wave.texts) // 3))
    with ExitStack() as rules:
        for text in gone:
            wish = {"operation": "messages.create", "to": text.to_number, "first": 1, "code": 21610}
            rules.enter_context(field.carrier_fault("refuse", **wish))
        now = patiently(clock.now)
        rest = field.crowd.write_more(wave=wave, like=gone, due_at=now + LATER, now=now)
        yield
        struck = {rule["to"] for rule in field.carrier.state()["faults"] if rule["struck"]}
        # Nothing is due between the refusal and the rest.
        field.taken_back |= {text.pk: now.timestamp() for text in rest if text.to_number in struck}


@contextmanager
def poison(field: Field, name: str) -> Iterator[None]:
    """Rows that make the carrier or the worker choke, in one batch with rows that do not."""
    wave = field.open_wave(name)
    now = patiently(clock.now)
    moments = [now + field.wave_span * part / 4 for part in range(1, 5)]
    # Numbers of Twilio's own for tests: none at all, no route, a region that is off, no mobile.
    magic = [f"+1500555000{last}" for last in (1, 2, 3, 9)]
    for moment, number in zip(moments, magic, strict=True):
        bad = field.add(
            wave,
            Wanted(due_at=moment, to_number=number),
            Wanted(due_at=moment, body=TOO_LONG),
            Wanted(due_at=moment, body=NOTHING),
            Wanted(due_at=moment, zone="Mars/Olympus_Mons"),
        )
        field.may_be_refused.update(bad)
        field.add(wave, *[Wanted(due_at=moment)] * 4)
    with ExitStack() as rules:
        _switch_on(field, wave, rules, {"effect": "garble", "probability": 0.1, "processed": True})
        yield


@contextmanager
def forged(field: Field, name: str) -> Iterator[None]:
    """Somebody else posts what they say are callbacks, before and after each text has left."""
    wave = field.open_wave(name)
    over = Event()
    believed: list[int] = []
    forger = Thread(target=_forge, args=(field, wave, over, believed), daemon=True)
    forger.start()
    try:
        with ExitStack() as rules:
            _switch_on(field, wave, rules, {"effect": "forged", "operation": "message.status", "probability": 0.7})
            yield
    finally:
        over.set()
        forger.join()
    if any(status < 400 for status in believed):
        field.find_wrong("a callback with a wrong signature was taken")


def _forge(field: Field, wave: Wave, over: Event, answers: list[int]) -> None:
    while not over.wait(FORGED_EVERY_SECONDS):
        text = field.rng.choice(wave.texts)
        status = field.rng.choice(("delivered", "failed", "undelivered", "sent"))
        form = {"MessageSid": "SM" + "0" * 32, "MessageStatus": status, "ErrorCode": "30005", "To": text.to_number}
        with suppress(requests.RequestException):
            answer = requests.post(
                f"{field.house.plan.base_url}/webhooks/sms/status/{text.public_id}/",
                data=form, headers={"X-Twilio-Signature": "Zm9yZ2Vk"}, timeout=5,
            )  # fmt: skip
            answers.append(answer.status_code)


def stop_account(field: Field, name: str) -> None:
    """20003: nothing is taken off the queue, one alarm rings, and after the fix all of it leaves."""
    before = _alarms(field)
    with field.carrier_fault("unauthorized", operation="messages.create"):
        wave = field.open_wave(name)
        field.rest()
    ids = [text.pk for text in wave.texts]
    deadline = time.monotonic() + DRAIN_SECONDS
    while patiently(lambda: rows.is_anything_in_state(ids, MessageState.SENDING)) and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_SECONDS)
    if patiently(lambda: rows.is_anything_in_state(ids, MessageState.REJECTED, *rows.REACHED)):
        field.find_wrong("texts were taken off the queue while the account was stopped")
    alarms = _alarms(field) - before
    if alarms != 1:
        field.find_wrong(f"{alarms} alarms for one stop of the account")
    patiently(lambda: _resume(field))


def _resume(field: Field) -> None:
    """Do what an operator does after the fix."""
    clinic = field.crowd.clinic
    for sender in Sender.objects.filter(clinic=clinic):
        with suppress(ConflictError):
            clinician = Clinician.objects.filter(clinic=clinic).order_by("id")[0]
            resume_sender(sender_id=sender.pk, clinic=clinic, clinician=clinician, now=clock.now())
    connections.close_all()


def _alarms(field: Field) -> int:
    return sum(log.read_text(errors="replace").count(ALARM) for log in field.places.logs.glob("*.log*"))


def _faulty(effect: str, **wish: object) -> Together:
    return lambda field, name: bad_carrier(field, name, {"effect": effect, **wish})


def _callbacks(effect: str, **wish: object) -> Together:
    return _faulty(effect, operation="message.status", **{"probability": 0.7, **wish})


TOGETHER: Mapping[str, Together] = {
    "carrier-500-before": _faulty("error"),
    "carrier-500-after": _faulty("error", processed=True),
    "carrier-500-blind": blind,
    "carrier-reset": _faulty("reset"),
    "carrier-reset-after": _faulty("reset", processed=True),
    "carrier-hang": _faulty("hang", first=HANGS),
    "carrier-truncate": _faulty("truncate"),
    "carrier-garbled": _faulty("garble", processed=True),
    "carrier-429": _faulty("too_many", probability=0.7, retry_after=2),
    "carrier-21610": opted_out,
    "callbacks-early": _faulty("delay", processed=True, seconds=ANSWERED_AFTER_SECONDS),
    "callbacks-late": _callbacks("late", seconds=3.0),
    "callbacks-doubled": _callbacks("doubled"),
    "callbacks-reordered": _callbacks("reordered"),
    "callbacks-lost": _callbacks("lost"),
    "callbacks-forged": forged,
    "poison": poison,
}
