"""Verbs that change protocols: keep a draft, publish, take an older version up again."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q
from django.utils.text import slugify

from reminders.clinic import audit
from reminders.clinic.errors import ConflictError
from reminders.clinic.models import AuditEvent, Clinic, Clinician
from reminders.clinic.turns import take_turn
from reminders.content.errors import ChecksDifferError, DraftChangedError
from reminders.content.models import Protocol, ProtocolVersion, Step
from reminders.content.rehearsal_checks import run_checks, take_over
from reminders.content.selectors import DEFAULT_PROTOCOL, definition_of, published_texts
from reminders.core.protocols import ProtocolDefinition, ProtocolError, from_json, to_json


def save_protocol_draft(
    *,
    clinic: Clinic,
    definition: ProtocolDefinition,
    author: Clinician | None,
    now: datetime,
    seen: str | None = None,
) -> ProtocolVersion:
    """Keep a definition as the one draft of its protocol, replacing an older draft; nothing a patient gets changes.

    With `seen`, what `draft_stamp` said when the author began: raises DraftChangedError where somebody kept or
    published something else since, and then nothing changes.
    """
    with transaction.atomic():
        protocol = _held(clinic, definition)
        if seen is not None and seen != draft_stamp(protocol):
            raise DraftChangedError
        draft = _keep(protocol, definition, author, now)
        _record(draft, "protocol_drafted", author, now)
    return draft


def publish_protocol(
    *, clinic: Clinic, definition: ProtocolDefinition, now: datetime, author: Clinician | None = None
) -> ProtocolVersion:
    """Publish a protocol definition as the next version, its steps as rows; a draft of it is replaced."""
    with transaction.atomic():
        draft = _keep(_held(clinic, definition), definition, author, now)
        return _put_in_force(draft, author, now)


def publish_protocol_draft(
    *, protocol: Protocol, author: Clinician, seen: str, now: datetime, differences_are_meant: bool = False
) -> ProtocolVersion:
    """Publish the draft that the author saw; plans laid out from now on use it.

    Raises DraftChangedError where it is not the draft any more that `seen` names, ProtocolError (`steps[2]...`) where a
    step's text has no published words, and ChecksDifferError where a check plays otherwise than it was kept; then
    nothing changes. Where the author says that the `differences_are_meant`, those checks expect them from now on.
    """
    with transaction.atomic():
        held = Protocol.objects.select_for_update().get(pk=protocol.pk)
        draft = held.versions.filter(published_at__isnull=True).first()
        if draft is None or seen != draft_stamp(held):
            raise DraftChangedError
        definition = definition_of(draft)
        check_texts(clinic=draft.clinic, definition=definition)
        played = run_checks(protocol=held, definition=definition)
        if any(one.differs for one in played) and not differences_are_meant:
            raise ChecksDifferError
        take_over(played=played, author=author, now=now)
        return _put_in_force(draft, author, now)


def discard_protocol_draft(*, protocol: Protocol, author: Clinician, now: datetime) -> bool:
    """Throw the draft away, with a protocol that never was in force; return False where there is none."""
    with transaction.atomic():
        held = Protocol.objects.select_for_update().get(pk=protocol.pk)
        draft = held.versions.filter(published_at__isnull=True).first()
        if draft is None:
            return False
        _record(draft, "protocol_draft_discarded", author, now)
        draft.delete()
        if held.published_id is None:
            held.delete()
    return True


def use_protocol_for(*, protocol: Protocol, techniques: Sequence[str], author: Clinician, now: datetime) -> None:
    """Have treatments of these techniques planned by this protocol from now on, all others by the default one.

    Plans that are under way stay as they are. Raises ConflictError where the protocol is the default, is not published,
    or a technique has another protocol already; then nothing changes.
    """
    with transaction.atomic():
        take_turn(clinic=protocol.clinic, topic="protocols")
        held = Protocol.objects.select_for_update().get(pk=protocol.pk)
        if held.key == DEFAULT_PROTOCOL:
            raise ConflictError("The default protocol serves every technique that has none of its own.")
        if techniques and held.published_id is None:
            raise ConflictError("Publish the protocol first; nothing can be planned by a draft.")
        others = Protocol.objects.filter(clinic=held.clinic_id, techniques__overlap=list(techniques))
        other = others.exclude(pk=held.pk).first()
        if other is not None:
            raise ConflictError(f"“{other.name}” is used for it already; take it out there first.")
        held.techniques = protocol.techniques = sorted(techniques)
        held.save(update_fields=["techniques"])
        audit.record(
            clinic=protocol.clinic,
            actor=AuditEvent.Actor.CLINICIAN,
            clinician=author,
            verb="protocol_used_for",
            subject=held,
            now=now,
            key=held.key,
            techniques=held.techniques,
        )


def copy_protocol(*, version: ProtocolVersion, name: str, author: Clinician, now: datetime) -> ProtocolVersion:
    """Begin a new protocol with this version as its draft, its checks too; nothing is planned by it yet.

    Raises ConflictError where the clinic has a protocol of this name, and ProtocolError where the name is none.
    """
    clinic = version.clinic
    key = slugify(name)[:40].strip("-") or "protocol"
    with transaction.atomic():
        take_turn(clinic=clinic, topic="protocols")
        if Protocol.objects.filter(Q(key=key) | Q(name=name), clinic=clinic).exists():
            raise ConflictError("There is a protocol of this name; choose another.")
        definition = from_json({**to_json(definition_of(version)), "key": key, "name": name})
        draft = save_protocol_draft(clinic=clinic, definition=definition, author=author, now=now)
        for check in version.protocol.checks.all():
            check.pk, check.protocol, check.author, check.created_at = None, draft.protocol, author, now
            check.save(force_insert=True)
    return draft


def draft_stamp(protocol: Protocol) -> str:
    """Return what an author has in hand: a draft kept at a moment, or the version in force."""
    draft = protocol.versions.filter(published_at__isnull=True).first()
    if draft is not None:
        return f"draft-{draft.number}-{draft.created_at.timestamp():.6f}"
    return f"version-{protocol.published_id or 0}"


def check_texts(*, clinic: Clinic, definition: ProtocolDefinition) -> None:
    """Raise ProtocolError for the first step whose text nobody published in English, which stands in for the rest."""
    found = published_texts(clinic_ids=[clinic.pk], keys={step.template_key for step in definition.steps})
    for number, step in enumerate(definition.steps, start=1):
        if (clinic.pk, step.template_key, "en") not in found:
            raise ProtocolError(f"steps[{number}].template_key", "publish the words of this text first.")


def _held(clinic: Clinic, definition: ProtocolDefinition) -> Protocol:
    defaults = {"name": definition.name}
    return Protocol.objects.select_for_update().get_or_create(clinic=clinic, key=definition.key, defaults=defaults)[0]


def _keep(
    protocol: Protocol, definition: ProtocolDefinition, author: Clinician | None, now: datetime
) -> ProtocolVersion:
    draft = protocol.versions.filter(published_at__isnull=True).first()
    if draft is None:
        newest = protocol.versions.aggregate(newest=Max("number"))["newest"] or 0
        draft = ProtocolVersion(clinic_id=protocol.clinic_id, protocol=protocol, number=newest + 1)
    draft.name, draft.thresholds = definition.name, to_json(definition)["thresholds"]
    draft.author, draft.created_at = author, now
    draft.save()
    draft.steps.all().delete()
    _write_steps(draft, definition)
    return draft


def _put_in_force(draft: ProtocolVersion, author: Clinician | None, now: datetime) -> ProtocolVersion:
    draft.published_at, draft.author = now, author
    draft.save(update_fields=["published_at", "author"])
    Protocol.objects.filter(pk=draft.protocol_id).update(published=draft, name=draft.name)
    draft.protocol.published, draft.protocol.name = draft, draft.name
    _record(draft, "published", author, now)
    return draft


def _write_steps(version: ProtocolVersion, definition: ProtocolDefinition) -> None:
    plain = to_json(definition)["steps"]
    Step.objects.bulk_create(
        Step(
            clinic_id=version.clinic_id,
            protocol_version=version,
            position=position,
            key=step.key,
            kind=step.kind,
            template_key=step.template_key,
            offset_minutes=step.offset_minutes,
            when_quiet=step.when_quiet,
            expires_minutes=step.expires_minutes,
            condition=plain[position - 1]["condition"],
        )
        for position, step in enumerate(definition.steps, start=1)
    )


def _record(version: ProtocolVersion, verb: str, author: Clinician | None, now: datetime) -> None:
    audit.record(
        clinic=version.clinic,
        actor=AuditEvent.Actor.CLINICIAN if author else AuditEvent.Actor.SYSTEM,
        clinician=author,
        verb=verb,
        subject=version,
        now=now,
        key=version.protocol.key,
        number=version.number,
    )
