"""Everything that may happen to texts, in any order, on the real database; each step is also told to a simple model.

Workers hand their rows on by bundles, so any of their steps may come late, twice, never, or after the lease ended.
Leases and pauses last a day and are ended by the story: how fast this machine is has no part in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, consumes, multiple, precondition, rule

from reminders.core.carrier_errors import Fault
from reminders.core.quiet_hours import is_quiet, next_open
from reminders.delivery.port import (
    Accepted,
    CarrierRecord,
    CreateResult,
    NotProcessed,
    OutgoingCall,
    OutgoingText,
    Refused,
    Unknown,
)
from reminders.messaging import outbox, sql
from reminders.messaging.claimed import Claimed, Held, inspect
from reminders.messaging.reconcile import UNRESOLVED_AFTER, reconcile_ambiguous
from reminders.messaging.settling import keep_answers
from reminders.messaging.status import record_status
from tests.messaging.carriers import PaperCarrier, new_sid
from tests.messaging.model import LONGEST_OWN_WAIT, Text, Try
from tests.messaging.state_story import HOUR, Story
from tests.messaging.state_world import QUIET, ZONE, due_of, ids, lasting_leases, lasting_pauses

LOST, PROCESSED = Unknown("timeout"), Unknown("http_500")
"""Nobody can tell: the first was never processed, the second was."""

OFTEN: Final = (Accepted(""), NotProcessed("no_connection"), NotProcessed("back_off", 90.0), LOST, PROCESSED)
answers = st.sampled_from(
    (
        *OFTEN,
        Refused(Fault.CONTENT, 21617),
        Refused(Fault.NUMBER_DEAD, 30005),
        Refused(Fault.OPTED_OUT, 21610),
        Refused(Fault.SENDER_FAULT, 21606),
        Refused(Fault.ACCOUNT_STOPPED, 20003),
    )
)
statuses = st.sampled_from(["queued", "sending", "sent", "undelivered", "failed", "delivered", "read"])
# A whole pass reads the clock once and adds what passes: no story depends on how long that is.
SLOW_MACHINE: Final = timedelta(minutes=10)
codes = st.sampled_from([None, 30003, 30005, 21610])


@dataclass(frozen=True)
class UnderWay:
    """What a worker holds after the commit point."""

    rows: list[Claimed]
    tries: dict[int, int]
    began: datetime


@dataclass(frozen=True)
class Answered:
    """What a worker knows after the carrier answered."""

    under_way: UnderWay
    results: list[CreateResult]


class AskedCarrier(PaperCarrier):
    """A carrier that gives the same answer to all, and has it written down by the story."""

    def __init__(self, sending: "Sending", answer: CreateResult) -> None:
        super().__init__()
        self.sending, self.answer = sending, answer
        self.given: dict[int, CreateResult] = {}

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        texts = [self.sending.text_of(item.message_id) for item in outgoing]
        results = [self.sending.create(text, text.attempts, self.answer) for text in texts]
        self.given.update(zip([text.pk for text in texts], results, strict=True))
        return results


class Sending(Story):
    """Schedulers, workers and the carrier, in the middle of the story."""

    texts = Story.texts
    held = Bundle("held")
    ready = Bundle("ready")
    under_way = Bundle("under_way")
    answered = Bundle("answered")

    # -- schedulers ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.is_something_due())
    @rule(target=held, urgent=st.sampled_from([False, False, True]), limit=st.sampled_from([1000, 1, 2]))
    def a_scheduler_claims(self, urgent: bool, limit: int) -> MultipleResults[list[Held]]:
        """One of several looks for what is due."""
        found = (outbox.claim_urgent if urgent else outbox.claim_due)(now=self.book.now, limit=limit)
        lasting_leases(ids(found))
        expected = self.book.claim(urgent=urgent, limit=limit)
        assert ids(found) == expected, "other texts are claimed than should be, or in another order"
        assert [one.fence for one in found] == [self.book.texts[pk].fence for pk in expected]
        assert all(self.book.texts[pk].due_at <= self.book.now for pk in expected), "never early"
        return multiple(*([found] if found else []))

    @rule(held=held)
    def the_broker_was_away(self, held: list[Held]) -> None:
        """What was claimed is given back."""
        outbox.give_back(held=held, now=self.book.now)
        for one in held:
            self.book.put_back(one.id, one.fence)

    @precondition(lambda self: any(text.lease_ended for text in self.some("claimed", "sending")))
    @rule()
    def leases_are_swept(self) -> None:
        """Those that ended."""
        outbox.sweep_leases(now=self.book.now)
        self.book.sweep()

    @precondition(lambda self: any(text.expires_at <= self.book.now for text in self.some("scheduled")))
    @rule()
    def what_is_overdue_expires(self) -> None:
        """Also behind a paused sender."""
        outbox.expire_overdue(now=self.book.now)
        self.book.expire()

    # -- workers, step by step ----------------------------------------------------------------------------------------

    @rule(target=ready, held=held)
    def a_worker_looks(self, held: list[Held]) -> MultipleResults[list[Claimed]]:
        """It gives back what must wait, asks when the others may leave, and gives back those without a turn."""
        rows = outbox._put_back_what_must_wait(inspect(held), self.book.now)
        staying = self._look(held)
        assert ids(rows) == staying, "who may leave as far as quiet hours and pauses go"
        turns = outbox._take_turns(rows)
        assert turns.keys() == self.book.take_turns(staying)
        assert all(0 <= wait <= sql.LONGEST_WAIT_SECONDS for wait in turns.values()), turns
        late = [row for row in rows if row.id not in turns]
        outbox._put_back(late, self.book.now)
        for row in late:
            self.book.put_back(row.id, row.fence)
        going = [row for row in rows if row.id in turns]
        return multiple(*([going] if going else []))

    def _look(self, held: Sequence[Held]) -> list[int]:
        now, staying, texts = self.book.now, [], self.book.texts
        for one in sorted(held, key=lambda one: (texts[one.id].priority, texts[one.id].due_at, one.id)):
            if not self.book.still_held(one.id, one.fence):
                continue
            text, due_at = texts[one.id], now
            if text.line.clinic_paused and not text.quiet_exempt:
                due_at = min(now + timedelta(minutes=5), max(text.expires_at, now))
            elif not text.quiet_exempt and text.expires_at > now and is_quiet(at=now, zone=ZONE, quiet=QUIET):
                due_at = next_open(at=now, zone=ZONE, quiet=QUIET)
            if due_at > now:
                self.book.put_back(one.id, one.fence, due_at)
            else:
                staying.append(one.id)
        return staying

    @rule(target=under_way, rows=ready)
    def a_worker_passes_the_commit_point(self, rows: list[Claimed]) -> MultipleResults[UnderWay]:
        """With those that still may leave."""
        tries = outbox._commit_to_send(rows, self.book.now)
        lasting_leases(tries)
        for pk in tries:
            self._check_that_it_may_leave(self.book.texts[pk])
        assert tries == self.book.commit([(row.id, row.fence) for row in rows])
        committed = [row for row in rows if row.id in tries]
        return multiple(*([UnderWay(committed, tries, self.book.now)] if committed else []))

    def _check_that_it_may_leave(self, text: Text) -> None:
        assert text.due_at <= self.book.now < text.expires_at, f"{text.body} left early or stale"
        assert text.allows(), f"{text.body} left after an opt-out"
        assert text.is_open, f"{text.body} left after it was taken back"
        assert not text.withdrawn, f"{text.body} left although it was to be taken back"

    @precondition(lambda self: self.is_something_due())
    @rule(target=under_way)
    def a_worker_goes_on_to_the_carrier(self) -> MultipleResults[UnderWay]:
        """The usual way to it, in one go."""
        held = self._claim_all()
        going = [self.a_worker_passes_the_commit_point(rows=rows) for rows in self.a_worker_looks(held=held).values]
        return going[0] if going else multiple()

    def _claim_all(self) -> list[Held]:
        claims = [self.a_scheduler_claims(urgent=urgent, limit=1000) for urgent in (True, False)]
        return [one for claim in claims for held in claim.values for one in held]

    @rule(target=answered, under_way=consumes(under_way), answers=st.lists(answers, min_size=3, max_size=3))
    def the_carrier_answers(self, under_way: UnderWay, answers: list[CreateResult]) -> Answered:
        """Each create in its own way."""
        asked = [(row.id, answers[place % 3]) for place, row in enumerate(under_way.rows)]
        results = [self.create(self.book.texts[pk], under_way.tries[pk], answer) for pk, answer in asked]
        return Answered(under_way, results)

    def create(self, text: Text, number: int, answer: CreateResult) -> CreateResult:
        """Keep the carrier's books: the promise that nothing leaves twice is checked here."""
        if text.unknown_policy == "settle":
            assert all(one.is_proven_unprocessed for one in text.tries), f"{text.body} may have left twice"
        processed = isinstance(answer, Accepted) or answer is PROCESSED
        text.tries.append(Try(number=number, at=self.book.now, sid=new_sid() if processed else ""))
        return Accepted(text.tries[-1].sid) if isinstance(answer, Accepted) else answer

    @rule(answered=answered)
    def a_worker_settles(self, answered: Answered) -> None:
        """Once, or again because its database was away for a moment."""
        under_way = answered.under_way
        keep_answers(under_way.rows, under_way.tries, answered.results, began=under_way.began, now=self.book.now)
        rows = [(row.id, under_way.tries[row.id], row.unknown_tries) for row in under_way.rows]
        self._settle(rows, answered.results)

    def _settle(self, rows: Sequence[tuple[int, int, int]], results: Sequence[CreateResult]) -> None:
        lasting_pauses()
        for (pk, _, _), result in zip(rows, results, strict=True):
            if isinstance(result, Refused):
                self.book.act_on(self.book.texts[pk], result.fault)
        for (pk, number, unknown_tries), result in zip(rows, results, strict=True):
            text = self.book.texts[pk]
            next(one for one in text.tries if one.number == number).told = result
            self.book.settle(pk, number, unknown_tries, result, self._next_try_at(text, result))

    def _next_try_at(self, text: Text, result: CreateResult) -> datetime | None:
        """Return when the engine tries again, if it may choose that; the expiry where it found it to be too late."""
        if isinstance(result, Accepted):
            return None
        asked = (result.retry_after_seconds if isinstance(result, NotProcessed) else None) or 0.0
        latest = self.book.now + max(timedelta(seconds=asked + 1), LONGEST_OWN_WAIT) + SLOW_MACHINE
        state, due_at = due_of(text.pk)
        if state != "scheduled":
            return text.expires_at if latest >= text.expires_at else self.book.now
        assert due_at <= latest, f"{text.body} waits for longer than it need"
        if due_at > self.book.now and text.priority != 0:
            assert due_at >= self.book.now + timedelta(seconds=asked), f"{text.body} is back before the carrier asked"
        return due_at

    @precondition(lambda self: self.is_something_due() and not self.is_something_about_to_expire())
    @rule(answer=answers)
    def a_worker_sends_all_that_is_due(self, answer: CreateResult) -> None:
        """The whole way at once, as it mostly goes."""
        held = self._claim_all()
        staying = self._look(held)
        granted = self.book.take_turns(staying)
        unknown_tries = {pk: self.book.texts[pk].unknown_tries for pk in staying}
        for one in held:
            if one.id in staying and one.id not in granted:
                self.book.put_back(one.id, one.fence)
        tries = self.book.commit([(one.id, one.fence) for one in held if one.id in granted])
        for pk in tries:
            self._check_that_it_may_leave(self.book.texts[pk])
        carrier = AskedCarrier(self, answer)
        outbox.send_claimed(held=held, now=self.book.now, carrier=carrier)
        assert carrier.given.keys() == tries.keys(), "who left"
        rows = [(pk, tries[pk], unknown_tries[pk]) for pk in carrier.given]
        self._settle(rows, list(carrier.given.values()))

    # -- the carrier's word -------------------------------------------------------------------------------------------

    @precondition(lambda self: any(text.attempts for text in self.book.texts.values()))
    @rule(which=st.integers(0, 5), status=statuses, code=codes, other=st.sampled_from([False, False, False, True]))
    def a_callback_comes(self, which: int, status: str, code: int | None, other: bool) -> None:
        """In any order, as often as it likes; now and then with an id of which nobody knows."""
        tried = [text for text in self.book.texts.values() if text.attempts]
        what = tried[which % len(tried)]
        sids = [one.sid for one in what.tries if one.sid]
        sid = new_sid() if other or not sids else sids[-1]
        code = code if status in ("undelivered", "failed") else None
        moved = record_status(
            public_id=what.public_id, carrier_sid=sid, status=status, error_code=code, now=self.book.now
        )
        lasting_pauses()
        assert moved == self.book.hear(what.pk, sid, status, code), f"a word {status} for {what.body}, {what.state}"

    @precondition(lambda self: self.some("ambiguous"))
    @rule(status=st.sampled_from(["queued", "sent", "delivered"]), can_be_asked=st.sampled_from([True, True, False]))
    def evidence_is_looked_for(self, status: str, can_be_asked: bool) -> None:
        """What the carrier's list shows is adopted; what it does not show becomes a question to a person, in time."""
        waiting = [text for text in self.book.texts.values() if text.state == "ambiguous"]
        listed = [
            CarrierRecord(sid=one.sid, status=status, body=text.body, created_at=one.at, error_code=None)
            for text in waiting
            for one in text.tries
            if one.sid
        ]
        carrier = PaperCarrier(listed=listed, can_be_asked=can_be_asked)
        reconcile_ambiguous(now=self.book.now, carrier=carrier)
        for text in waiting:
            self._take_over(text, [record for record in listed if record.body == text.body], can_be_asked)

    def _take_over(self, text: Text, found: Sequence[CarrierRecord], can_be_asked: bool) -> None:
        state, _ = due_of(text.pk)
        assert text.unknown_since is not None
        unknown_for = self.book.now - text.unknown_since
        if state == "unresolved":
            assert len(found) != 1 or not can_be_asked, f"{text.body} has its proof"
            assert unknown_for >= UNRESOLVED_AFTER if can_be_asked else unknown_for >= HOUR
            text.state = "unresolved"
        elif state != "ambiguous":
            assert found, f"{text.body} was adopted without evidence"
            newest = max(found, key=lambda record: record.created_at)
            self.book.hear(text.pk, newest.sid, newest.status, None)

    def is_something_about_to_expire(self) -> bool:
        """Whether a slow machine could tell the end of a story otherwise."""
        return any(self.book.now < text.expires_at <= self.book.now + SLOW_MACHINE for text in self.some("scheduled"))

    def text_of(self, public_id: UUID) -> Text:
        """The text that the carrier is asked to take."""
        return next(text for text in self.book.texts.values() if text.public_id == public_id)
