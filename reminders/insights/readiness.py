"""What is set up in one clinic and what is missing before its first patient gets a text: judged from the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reminders.clinic.models import Clinic, LadderRung, TreatmentSession
from reminders.content.disclosure import KEY as CONSENT_KEY
from reminders.content.models import Template
from reminders.core.segments import ucs2_characters
from reminders.core.states import NOT_SURE_TO_ARRIVE, REACHED_CARRIER, MessageState
from reminders.core.texts import TEXTS
from reminders.insights.amounts import many
from reminders.insights.clinic_gaps import ClinicGaps, read_clinic_gaps
from reminders.insights.heartbeats import duties
from reminders.messaging.trying_out import newest_tests


class Standing(StrEnum):
    """How one thing stands: missing things keep the clinic from going live, advised ones make it better."""

    MISSING = "missing"
    ADVISED = "advised"
    DONE = "done"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of the list: its key, how it stands, and a sentence that says so."""

    key: str
    standing: Standing
    sentence: str


def read_readiness(*, clinic: Clinic) -> list[Item]:
    """Return everything a clinic needs, in the order in which one sets it up; a fixed number of queries."""
    (gaps,) = read_clinic_gaps(only=clinic)
    return [
        _details(clinic),
        _hours(clinic),
        _senders(gaps),
        _staff(gaps),
        _ladder(clinic, gaps),
        *_texts(clinic, gaps),
        _keys(clinic),
        _test(clinic),
        _sessions(clinic),
        _sending(clinic),
    ]


def _item(key: str, sentences: Iterator[tuple[Standing, str]], done: str) -> Item:
    """Return the first of the findings, or that all is done."""
    standing, sentence = next(sentences, (Standing.DONE, done))
    return Item(key, standing, sentence)


def _details(clinic: Clinic) -> Item:
    def judge() -> Iterator[tuple[Standing, str]]:
        dear = "".join(dict.fromkeys(char for _index, char in ucs2_characters(clinic.name)))
        if dear:
            yield Standing.ADVISED, f"“{dear}” in the name makes every text cost about twice as much."
        if not clinic.booking_url:
            yield Standing.ADVISED, "Without an address for booking, no text can offer an appointment."

    return _item("clinic", judge(), f"{clinic.name}, on the clock of {clinic.timezone}.")


def _hours(clinic: Clinic) -> Item:
    def judge() -> Iterator[tuple[Standing, str]]:
        if not clinic.opening_hours:
            yield Standing.MISSING, "Without opening hours, cases of the same day are told to staff at night too."
        if not clinic.reply_hours:
            yield Standing.MISSING, "Patients are told when somebody answers: write your hours in words."
        if not clinic.reply_hours_es:
            yield Standing.ADVISED, "Write your hours in Spanish too."

    quiet = f"{clinic.quiet_start:%-I:%M %p} to {clinic.quiet_end:%-I:%M %p}"
    days = len(clinic.opening_hours)
    return _item("hours", judge(), f"Open on {many(days, 'day')} a week; no texts from {quiet}.")


def _senders(gaps: ClinicGaps) -> Item:
    if not gaps.senders:
        return Item("senders", Standing.MISSING, "There is no number to text from.")
    return Item("senders", Standing.DONE, f"Texts leave from {many(gaps.senders, 'number')} of yours.")


def _staff(gaps: ClinicGaps) -> Item:
    if not gaps.reachable:
        return Item("staff", Standing.MISSING, "Nobody can be rung: none of your staff has a phone on file.")
    if gaps.reachable == 1:
        return Item("staff", Standing.ADVISED, "Only one person can be rung. Add a second one for when they cannot.")
    return Item("staff", Standing.DONE, f"{many(gaps.reachable, 'person', 'people')} can be rung.")


def _ladder(clinic: Clinic, gaps: ClinicGaps) -> Item:
    rungs = LadderRung.objects.filter(clinic=clinic).count()

    def judge() -> Iterator[tuple[Standing, str]]:
        if not gaps.rungs:
            yield Standing.MISSING, "Nobody has said who is called first when a patient reports danger."
        if gaps.rungs < rungs:
            lost = rungs - gaps.rungs
            yield Standing.ADVISED, f"{many(lost, 'step')} of it reach nobody: the person left or has no phone."

    return _item("ladder", judge(), f"{many(gaps.rungs, 'step')}, one after the other, until somebody takes the case.")


def _texts(clinic: Clinic, gaps: ClinicGaps) -> Iterator[Item]:
    rows = Template.objects.filter(clinic=clinic, published__isnull=False)
    published = {(key, language): author for key, language, author in rows.values_list(
        "key", "language", "published__author"
    )}  # fmt: skip
    missing, spanish = len(gaps.missing_texts), sum((key, "es") not in published for key in TEXTS)
    if missing or not gaps.has_protocol:
        lacks = [f"{many(missing, 'text')}"] if missing else []
        lacks += [] if gaps.has_protocol else ["the protocol that says when they leave"]
        yield Item("texts", Standing.MISSING, f"Not published yet: {' and '.join(lacks)}.")
    elif spanish:
        yield Item("texts", Standing.ADVISED, f"{many(spanish, 'text')} not in Spanish; English stands in.")
    else:
        yield Item("texts", Standing.DONE, "All texts are published in both languages, and the protocol too.")
    own = all(published.get((CONSENT_KEY, language)) is not None for language in ("en", "es"))
    if own:
        yield Item("consent", Standing.DONE, "Published by your clinic in both languages.")
    else:
        yield Item(
            "consent",
            Standing.ADVISED,
            "Patients agree to the words we came with. Read them with whoever advises you on law, then publish yours.",
        )


def _keys(clinic: Clinic) -> Item:
    live = clinic.api_keys.filter(revoked_at__isnull=True).count()
    if live:
        return Item("keys", Standing.DONE, f"{many(live, 'key')} in force.")
    return Item("keys", Standing.OPTIONAL, "Only needed where another system sends your sessions.")


def _test(clinic: Clinic) -> Item:
    newest = next(iter(newest_tests(clinic=clinic)), None)
    if newest is None:
        return Item("test", Standing.MISSING, "Send one to your own phone, to see that texts arrive.")
    if newest.state == MessageState.DELIVERED:
        return Item("test", Standing.DONE, "The newest one arrived.")
    if newest.state in NOT_SURE_TO_ARRIVE:
        return Item("test", Standing.MISSING, "The newest one did not arrive. See why, and try again.")
    if newest.state in REACHED_CARRIER:
        return Item("test", Standing.ADVISED, "The carrier has the newest one; its receipt has not come yet.")
    return Item("test", Standing.ADVISED, "The newest one is about to leave.")


def _sessions(clinic: Clinic) -> Item:
    if TreatmentSession.objects.filter(clinic=clinic).exists():
        return Item("sessions", Standing.DONE, "They come in.")
    return Item("sessions", Standing.OPTIONAL, "None yet. Enter the first one, or bring many in from a file.")


def _sending(clinic: Clinic) -> Item:
    idle = not all(duty.alive for duty in duties())
    if clinic.is_paused:
        return Item("sending", Standing.MISSING, "Texts to patients are paused. Let them go on when all is ready.")
    if idle:
        return Item(
            "sending",
            Standing.MISSING,
            "Not all that sends and answers is at work. Ask whoever runs the system: “reminders doctor” says what.",
        )
    return Item("sending", Standing.DONE, "Everything that sends and answers is at work.")
