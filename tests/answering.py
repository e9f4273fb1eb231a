"""The answering side, told from outside: a patient texts, the carrier posts, a worker reads, someone presses a key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from twilio.request_validator import RequestValidator

from reminders import clock
from reminders.clinic.models import Clinic, Clinician, Patient, TreatmentSession
from reminders.clock.models import ClockOffset
from reminders.content.services import load_starters
from reminders.conversations.models import CheckIn, InboundMessage
from reminders.conversations.tasks import read_texts
from reminders.delivery.port import Accepted, CreateResult, OutgoingCall, OutgoingText
from reminders.escalations.models import Escalation
from reminders.messaging.models import Kind, Message
from reminders.messaging.outbox import claim_due, claim_urgent, send_claimed
from tests.factories import (
    Staff,
    make_check_in,
    make_clinic,
    make_ladder,
    make_patient,
    make_plan,
    make_staff,
    make_treatment_session,
    phone_of,
)

NOON: Final = datetime(2025, 3, 4, 18, 0, tzinfo=UTC)
"""Tuesday noon in Chicago: the clinic is open, nobody sleeps."""

NIGHT: Final = datetime(2025, 3, 5, 8, 0, tzinfo=UTC)
"""Two in the morning in Chicago."""

_sids = count(1)


def set_clock(at: datetime) -> None:
    """Let the product's clock stand at `at`, as the sandbox would."""
    offset = at - datetime.now(UTC)
    ClockOffset.objects.update_or_create(id=1, defaults={"offset": offset})


def new_sid(prefix: str = "SM") -> str:
    """An id as the carrier gives them."""
    return f"{prefix}{next(_sids):032x}"


def post_as_carrier(
    path: str,
    fields: dict[str, str],
    *,
    client: Client | None = None,
    token: str | None = None,
    signature: str | None = None,
) -> HttpResponse:
    """Post a form as the carrier does: signed over the public address with the account's token."""
    form = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "ApiVersion": "2010-04-01", **fields}
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN if token is None else token)
    url = settings.PUBLIC_BASE_URL + path
    sign = validator.compute_signature(url, form) if signature is None else signature
    headers = {"X-Twilio-Signature": sign} if sign else {}
    response: HttpResponse = (client or Client()).post(
        path, urlencode(form), content_type="application/x-www-form-urlencoded; charset=UTF-8", headers=headers
    )  # type: ignore[assignment]
    return response


def text_fields(*, sender: str, to: str, body: str, sid: str = "", **more: str) -> dict[str, str]:
    """The fields of an inbound text."""
    sid = sid or new_sid()
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "From": sender,
        "To": to,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "FromCity": "",
        **more,
    }


def post_text(*, sender: str, to: str, body: str, sid: str = "", **more: str) -> HttpResponse:
    """Let the carrier post one inbound text."""
    return post_as_carrier("/webhooks/sms/inbound/", text_fields(sender=sender, to=to, body=body, sid=sid, **more))


def work() -> None:
    """Let a worker read what is unread, as the task and the sweep would."""
    for inbound_id in (
        InboundMessage.objects.filter(handled_at__isnull=True).order_by("id").values_list("pk", flat=True)
    ):
        read_texts(inbound_id)


@dataclass
class Postbox:
    """A carrier that takes everything and remembers it."""

    created: list[OutgoingText | OutgoingCall] = field(default_factory=list)

    def create(self, outgoing: Sequence[OutgoingText | OutgoingCall]) -> list[CreateResult]:
        self.created.extend(outgoing)
        return [Accepted(new_sid("CA" if isinstance(one, OutgoingCall) else "SM")) for one in outgoing]

    def texts_between(self, *, from_number: str, to_number: str) -> list[object]:
        raise AssertionError("nobody asked for evidence")

    def is_authentic(self, *, url: str, form: object, headers: object) -> bool:
        raise AssertionError("nobody asked for a signature")


def send_due() -> list[OutgoingText | OutgoingCall]:
    """Send what is due now through a carrier that takes everything; return what left."""
    postbox, now = Postbox(), clock.now()
    held = [*claim_urgent(now=now), *claim_due(now=now)]
    send_claimed(held=held, now=now, carrier=postbox)  # type: ignore[arg-type]
    return postbox.created


@dataclass
class Story:
    """One clinic with its staff, an on-call ladder of two people, and one patient who was needled a day ago."""

    clinic: Clinic
    staff: Staff
    patient: Patient
    session: TreatmentSession
    started_at: datetime

    @property
    def phone(self) -> str:
        """The patient's number."""
        return phone_of(self.patient)

    @property
    def sender(self) -> str:
        """The number the clinic texts from."""
        return str(self.clinic.senders.get().number)

    def asked(self, *, ago: timedelta = timedelta(minutes=30)) -> CheckIn:
        """Ask the check-in question, a while ago."""
        return make_check_in(plan=self.session.plans.get(), now=self.started_at - ago)

    def texts(self, body: str, *, sender: str = "", sid: str = "", **more: str) -> InboundMessage:
        """Let somebody text the clinic, the patient unless told otherwise, and a worker read it."""
        sid = sid or new_sid()
        response = post_text(sender=sender or self.phone, to=self.sender, body=body, sid=sid, **more)
        assert response.status_code == 200, response.status_code
        work()
        return InboundMessage.objects.get(message_sid=sid)

    def answers(self, number: str = "") -> list[str]:
        """The automatic answers and emergency texts to a phone, by the key of their text, in order."""
        rows = Message.objects.filter(to_number=number or self.phone, clinic=self.clinic).exclude(
            kind__in=[Kind.ADVICE, Kind.CHECK_IN, Kind.NUDGE, Kind.RECHECK]
        )
        return [key_of(row) for row in rows.order_by("id")]

    def cases(self) -> list[Escalation]:
        """All cases of the clinic, oldest first."""
        return list(Escalation.objects.filter(clinic=self.clinic).order_by("id"))

    def case(self) -> Escalation:
        """The only case there is."""
        (only,) = self.cases()
        return only

    def rings(self) -> list[tuple[str, str]]:
        """Who was rung, and how, in order."""
        rows = Message.objects.filter(clinic=self.clinic, kind__in=[Kind.STAFF_NOTICE, Kind.STAFF_CALL]).order_by("id")
        return [(row.clinician.role if row.clinician else "", row.channel) for row in rows]


def key_of(message: Message) -> str:
    """Which text of the catalogue a message is; where a built-in text stood in, the end of its dedupe key."""
    if message.template_version is not None:
        return message.template_version.template.key
    return message.dedupe_key.rsplit(":", 1)[-1]


def begin(*, at: datetime = NOON, patient: dict[str, Any] | None = None, **clinic: Any) -> Story:
    """Set the clock, and make the clinic, its staff and the patient."""
    set_clock(at)
    home = make_clinic(reply_hours_es="de lunes a viernes de 8 am a 6 pm", **clinic)
    load_starters(clinic=home, now=at)
    staff = make_staff(clinic=home)
    make_ladder(clinic=home, clinicians=[staff.therapist, staff.owner])
    person = make_patient(clinic=home, now=at, **(patient or {}))
    return Story(home, staff, person, add_session(person, staff.therapist, at), at)


def add_session(patient: Patient, clinician: Clinician, at: datetime, **fields: object) -> TreatmentSession:
    """A session that ended a day before `at`, with its plan; its advice has not left."""
    session = make_treatment_session(
        patient=patient, clinician=clinician, ended_at=at - timedelta(hours=24), now=at, **fields
    )
    make_plan(treatment_session=session, now=at)
    return session


def calls_of(case: Escalation) -> Iterator[UUID]:
    """The public ids of the calls that were placed for a case."""
    yield from case.notices.filter(kind=Kind.STAFF_CALL).order_by("id").values_list("public_id", flat=True)
