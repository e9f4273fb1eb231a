"""What happens around sending: texts are laid out, time passes, patients, staff and carriers change their minds.

The half of the state machine that knows no worker (see `state_machine`); each step is told to the engine and the model.
"""

from datetime import timedelta

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from reminders.clinic.consent import KEYWORD_START, grant_consent, revoke_consent
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic
from reminders.clinic.services import void_treatment_session
from reminders.core.quiet_hours import next_open
from reminders.messaging.cancelling import take_back
from reminders.messaging.deciding import mark_as_sent, send_again
from reminders.messaging.errors import CannotSendAgainError
from reminders.messaging.models import Message, Sender
from reminders.messaging.status import SECOND_CARRIER_ID
from tests.factories import make_message
from tests.messaging.conftest import NOON
from tests.messaging.model import NEVER_LEFT, Book, Text
from tests.messaging.state_world import (
    KINDS,
    OF_A_SESSION,
    QUIET,
    ZONE,
    World,
    differences,
    end_leases_of,
    pause,
    rest,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

people = st.sampled_from([0, 1, 2])
FINAL = ("delivered", "rejected")


class Story(RuleBasedStateMachine):
    """The engine and the model, side by side."""

    texts = Bundle("texts")

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.lines, self.phones = world.lines(), world.phones()
        self.book = Book(now=NOON, lines=list(self.lines.values()))
        self.ended: dict[int, str] = {}
        self.ranks: dict[int, int] = {}
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        """Leave the tables as they were found."""
        alarms = AuditEvent.objects.filter(verb=SECOND_CARRIER_ID).count()
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)
        assert alarms == self.book.second_ids, "the alarm for a second id is raised for each, and for nothing else"

    @invariant()
    def engine_and_model_agree(self) -> None:
        """All rows are as the model says, and each has its row in the outbox exactly while it is open."""
        wrong = differences(self.book.texts)
        assert not wrong, "\n".join(["the rows are not as they should be:", *wrong])

    @invariant()
    def what_has_ended_stays(self) -> None:
        """Terminal states stay, and the carrier's rank only rises: a model that forgot this would agree otherwise."""
        for text in self.book.texts.values():
            assert self.ended.get(text.pk, text.state) == text.state, f"{text.body} had ended"
            assert self.ranks.get(text.pk, -1) <= text.rank, f"the rank of {text.body} fell"
            self.ranks[text.pk] = text.rank
            if text.state in FINAL or (text.state in NEVER_LEFT and not text.is_open and not text.attempts):
                self.ended[text.pk] = text.state

    def some(self, *states: str) -> list[Text]:
        """Those that stand in one of these states."""
        return [text for text in self.book.texts.values() if text.state in states]

    def is_something_due(self) -> bool:
        """Whether a scheduler would find something."""
        due = [text for text in self.some("scheduled") if text.due_at <= self.book.now and not text.line.paused]
        return any(text.line.may_claim or not text.line.is_slow or text.priority == 0 for text in due)

    def is_somebody_held_up(self) -> bool:
        """Whether a sender is held, tired, or its clinic paused."""
        lines = self.book.lines
        return any(line.paused or line.clinic_paused or (line.is_slow and not line.may_leave) for line in lines)

    # -- texts and time -----------------------------------------------------------------------------------------------

    @initialize(target=texts, kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=3, max_size=3))
    def three_texts_are_due(self, kinds: list[str]) -> MultipleResults[int]:
        """So that something can happen at once."""
        return multiple(*[self._write(person, kind, timedelta(0), 10 * HOUR) for person, kind in enumerate(kinds)])

    @precondition(lambda self: len(self.book.texts) < 15)
    @rule(
        target=texts,
        person=people,
        kind=st.sampled_from(sorted(KINDS)),
        due_in=st.sampled_from([timedelta(0), -HOUR, MINUTE, 9 * HOUR]),
        life=st.sampled_from([12 * HOUR, HOUR + MINUTE, HOUR, SECOND]),
    )
    def a_text_is_laid_out(self, person: int, kind: str, due_in: timedelta, life: timedelta) -> int:
        """Some are late already, some wait for the night."""
        return self._write(person, kind, due_in, life)

    def _write(self, person: int, kind: str, due_in: timedelta, life: timedelta) -> int:
        who, phone = self.world.people[person], self.phones[person]
        of_session = kind in OF_A_SESSION and not phone.voided
        due_at = self.book.now + due_in
        message = make_message(
            patient=who.patient,
            to_number=who.number,
            kind=kind,
            body=f"{kind} {len(self.book.texts) + 1}",
            due_at=due_at,
            expires_at=due_at + life,
            now=self.book.now,
            treatment_session=who.session if of_session else None,
            **KINDS[kind],
        )
        return self._enter(message, person, of_session)

    def _enter(self, message: Message, person: int, of_session: bool, in_place_of: Text | None = None) -> int:
        self.book.texts[message.pk] = Text(
            pk=message.pk,
            public_id=message.public_id,
            person=person,
            phone=self.phones[person],
            line=self.lines[self.world.people[person].sender_id],
            body=message.body,
            priority=message.priority,
            unknown_policy=message.unknown_policy,
            consent_rule=message.consent_rule,
            quiet_exempt=message.quiet_exempt,
            of_session=of_session,
            due_at=message.due_at,
            expires_at=message.expires_at,
            in_place_of=in_place_of,
        )
        return message.pk

    @rule(by=st.sampled_from([None, None, SECOND, 5 * MINUTE, HOUR, 8 * HOUR]))
    def time_passes(self, by: timedelta | None) -> None:
        """The product's clock moves on, or until the next text is due; leases and pauses are on another one."""
        waiting = [text.due_at for text in self.book.texts.values() if text.due_at > self.book.now and text.is_unsent]
        self.book.now = min(waiting, default=self.book.now) if by is None else self.book.now + by

    @precondition(lambda self: self.some("claimed", "sending"))
    @rule()
    def leases_end(self) -> None:
        """Workers stood still, or died."""
        held = [text for text in self.book.texts.values() if text.state in ("claimed", "sending")]
        end_leases_of([text.pk for text in held])
        for text in held:
            text.lease_ended = True

    # -- patients and staff -------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["stop", "start", "void", "clinic", "sender"]), person=people)
    def somebody_changes_their_mind(self, what: str, person: int) -> None:
        """A patient opts out or in, a session never was, a clinic or a number pauses or goes on."""
        {
            "stop": self._stop,
            "start": self._start,
            "void": self._void,
            "clinic": self._toggle_clinic,
            "sender": self._toggle_sender,
        }[what](person)

    @precondition(lambda self: self.is_somebody_held_up())
    @rule()
    def all_goes_on(self) -> None:
        """No pause lasts, and slow senders have rested."""
        for person, line in ((person, self.lines[self.world.people[person].sender_id]) for person in (0, 2)):
            if line.paused:
                self._toggle_sender(person)
            if line.clinic_paused:
                self._toggle_clinic(person)
            rest(line.pk)
            line.may_claim = line.may_leave = True

    def _stop(self, person: int) -> None:
        """A patient opts out."""
        who = self.world.people[person]
        revoke_consent(
            clinic=who.clinic, number=who.number, method="keyword_stop", now=self.book.now, patient=who.patient
        )
        self.book.stop(self.phones[person])

    def _start(self, person: int) -> None:
        """A patient opts in again; what was dropped is never restored."""
        who = self.world.people[person]
        grant_consent(
            clinic=who.clinic, number=who.number, method=KEYWORD_START, now=self.book.now, patient=who.patient
        )
        self.phones[person].decision = "granted"

    def _void(self, person: int) -> None:
        """It never was."""
        phone = self.phones[person]
        void_treatment_session(
            treatment_session=self.world.people[person].session, actor=AuditEvent.Actor.SYSTEM, now=self.book.now
        )
        if not phone.voided:
            phone.voided = True
            course = [text for text in self.book.texts.values() if text.of_session and text.phone is phone]
            self.book.take_back(course, reason="voided")

    @precondition(lambda self: self.some("scheduled", "claimed", "sending", "ambiguous"))
    @rule(text=texts)
    def one_is_cancelled(self, text: int) -> None:
        """Somebody takes one text back."""
        take_back(Message.objects.filter(pk=text), reason="by_staff", now=self.book.now)
        self.book.take_back([self.book.texts[text]], reason="by_staff")

    def _toggle_clinic(self, person: int) -> None:
        """Nothing but answers leaves while it is paused."""
        line = self.lines[self.world.people[person].sender_id]
        line.clinic_paused = not line.clinic_paused
        Clinic.objects.filter(pk=self.world.people[person].clinic.pk).update(is_paused=line.clinic_paused)

    def _toggle_sender(self, person: int) -> None:
        """An operator holds a number, or lets it go."""
        line = self.lines[self.world.people[person].sender_id]
        line.paused = not line.paused
        if line.paused:
            pause([line.pk])
        else:
            Sender.objects.filter(pk=line.pk).update(paused_until=None, paused_reason="")

    @precondition(lambda self: self.some("unresolved"))
    @rule(text=texts)
    def somebody_marks_it_as_sent(self, text: int) -> None:
        """A person is sure enough."""
        what = self.book.texts[text]
        who = self.world.people[what.person]
        clinician = self.world.staff[who.clinic.pk]
        try:
            mark_as_sent(message_id=text, clinic=who.clinic, clinician=clinician, now=self.book.now)
        except ConflictError:
            assert what.state != "unresolved"
        else:
            assert what.state == "unresolved"
            what.state = "accepted"

    @precondition(lambda self: self.some("unresolved"))
    @rule(target=texts, text=texts)
    def somebody_sends_it_again(self, text: int) -> MultipleResults[int]:
        """A person wants it to leave once more, as a text of its own."""
        what = self.book.texts[text]
        who = self.world.people[what.person]
        clinician = self.world.staff[who.clinic.pk]
        now = self.book.now
        due_at = now if what.quiet_exempt else next_open(at=now, zone=ZONE, quiet=QUIET)
        allowed = self.book.may_be_sent_again(what, due_at)
        try:
            again: Message | None = send_again(message_id=text, clinic=who.clinic, clinician=clinician, now=now)
        except (ConflictError, CannotSendAgainError):
            again = None
        assert (again is not None) == allowed, f"whether {what.body} may be sent again"
        if again is None:
            return multiple()
        assert (again.due_at, again.expires_at, again.body) == (due_at, what.expires_at, what.body)
        what.state = "replaced"
        return multiple(self._enter(again, what.person, what.of_session, what))
