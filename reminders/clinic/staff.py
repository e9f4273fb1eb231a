"""Accounts of staff: invited, given a role, given a new password, switched off. Everything is on record.

A link is shown once, to the owner who made it, and stored as a hash: whoever reads the database cannot use it.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from reminders.clinic import audit
from reminders.clinic.account_models import StaffLink
from reminders.clinic.devices import end_all
from reminders.clinic.errors import ConflictError, ReminderError
from reminders.clinic.models import AuditEvent, Clinic, Clinician, Role

LINK_LIVES: Final = {StaffLink.Kind.INVITATION: timedelta(days=7), StaffLink.Kind.PASSWORD: timedelta(days=1)}


class LastOwnerError(ReminderError):
    """The clinic would be left without an owner; nothing was changed."""

    code = "last_owner"


class NameTakenError(ReminderError):
    """Somebody has this user name already; nothing was stored."""

    code = "name_taken"


def invite(
    *, clinic: Clinic, role: Role, first_name: str, last_name: str, by: Clinician, now: datetime
) -> tuple[StaffLink, str]:
    """Make an invitation that works once within 7 days; return it and its secret, which is stored nowhere."""
    with transaction.atomic():
        link, plain = _make_link(
            StaffLink.Kind.INVITATION,
            now,
            clinic=clinic,
            role=role,
            first_name=first_name,
            last_name=last_name,
            made_by=by,
        )
        _record(clinic, by, "staff_invited", link, now, role=str(role))
    return link, plain


def make_password_link(*, clinician: Clinician, by: Clinician | None, now: datetime) -> tuple[StaffLink, str]:
    """Make a link with which this person sets a new password within a day; return it and its secret.

    `by` is None for whoever runs the installation. Earlier links of the same person end. The
    old password works until the new one is set.
    """
    with transaction.atomic():
        _open_links(clinician=clinician).update(withdrawn_at=now)
        link, plain = _make_link(StaffLink.Kind.PASSWORD, now, clinic=clinician.clinic, clinician=clinician, made_by=by)
        _record(clinician.clinic, by, "password_link_made", clinician, now)
    return link, plain


def find_link(*, plain: str, now: datetime) -> StaffLink | None:
    """Return the link with this secret where it still works, else None."""
    if not plain.isascii() or len(plain) > 100:
        return None
    link = StaffLink.objects.select_related("clinic", "clinician").filter(digest=_digest(plain)).first()
    return link if link is not None and works(link=link, now=now) else None


def works(*, link: StaffLink, now: datetime) -> bool:
    """Tell whether a link may be used: not yet used, not withdrawn, not too old, and its account switched on."""
    is_open = link.used_at is None and link.withdrawn_at is None and now < link.expires_at
    return is_open and (
        link.kind == StaffLink.Kind.INVITATION or (link.clinician is not None and link.clinician.is_active)
    )


def withdraw(*, link: StaffLink, by: Clinician, now: datetime) -> None:
    """End a link before its time. Raises ConflictError where it was used, or withdrawn already."""
    with transaction.atomic():
        row = StaffLink.objects.select_for_update().get(pk=link.pk)
        if row.used_at or row.withdrawn_at:
            raise ConflictError("The invitation was used or withdrawn in the meantime.")
        row.withdrawn_at = now
        row.save(update_fields=["withdrawn_at"])
        _record(row.clinic, by, "invitation_withdrawn", row, now)


def accept_invitation(
    *, link: StaffLink, username: str, first_name: str, last_name: str, phone: str, password: str, now: datetime
) -> Clinician:
    """Make the account that a link invites to. The password has been checked by Django's validators.

    Raises ConflictError where the link works no more, and NameTakenError for a user name somebody has.
    """
    with transaction.atomic():
        row = _use(link, now)
        try:
            with transaction.atomic():
                clinician: Clinician = Clinician.objects.create_user(
                    username,
                    "",
                    password,
                    clinic=row.clinic,
                    role=row.role,
                    first_name=first_name,
                    last_name=last_name,
                    phone=phone,
                )
        except IntegrityError:
            raise NameTakenError("Somebody has this user name already. Choose another.") from None
        row.clinician = clinician
        row.save(update_fields=["used_at", "clinician"])
        _record(row.clinic, clinician, "staff_joined", clinician, now, role=str(row.role))
    return clinician


def set_password_by_link(*, link: StaffLink, password: str, now: datetime) -> Clinician:
    """Set the password of the link's account, and sign it out everywhere. Raises ConflictError for a used-up link."""
    with transaction.atomic():
        row = _use(link, now)
        clinician = Clinician.objects.select_for_update(no_key=True).get(links=row)
        clinician.set_password(password)
        clinician.save(update_fields=["password"])
        row.save(update_fields=["used_at"])
        end_all(clinician=clinician, by=clinician, now=now)
        _record(row.clinic, clinician, "password_set_by_link", clinician, now)
    return clinician


def change_role(*, clinician: Clinician, role: Role, by: Clinician, now: datetime) -> bool:
    """Give another role, from the next request on; return False where it is the same. Raises LastOwnerError."""
    with transaction.atomic():
        row = _hold(clinician)
        if row.role == role:
            return False
        _keep_an_owner(row)
        before, row.role = row.role, role
        row.save(update_fields=["role"])
        _record(row.clinic, by, "role_changed", row, now, before=before, after=str(role))
    return True


def switch_off(*, clinician: Clinician, by: Clinician, now: datetime) -> bool:
    """End an account at once, with its sessions and links; return False where it was off. Raises LastOwnerError."""
    with transaction.atomic():
        row = _hold(clinician)
        if not row.is_active:
            return False
        _keep_an_owner(row)
        row.is_active = False
        row.save(update_fields=["is_active"])
        _open_links(clinician=row).update(withdrawn_at=now)
        end_all(clinician=row, by=by, now=now)
        _record(row.clinic, by, "staff_switched_off", row, now)
    return True


def switch_on(*, clinician: Clinician, by: Clinician, now: datetime) -> bool:
    """Let somebody in again, with the password and the role they had; return False where they were not out."""
    with transaction.atomic():
        row = _hold(clinician)
        if row.is_active:
            return False
        row.is_active = True
        row.save(update_fields=["is_active"])
        _record(row.clinic, by, "staff_switched_on", row, now)
    return True


def change_own_details(
    *, clinician: Clinician, first_name: str, last_name: str, phone: str, now: datetime
) -> list[str]:
    """Change one's own name and phone (E.164 or empty); return which changed, and keep that on record."""
    given = {"first_name": first_name, "last_name": last_name, "phone": phone}
    with transaction.atomic():
        row = Clinician.objects.select_for_update(no_key=True).get(pk=clinician.pk)
        changed = [name for name, value in given.items() if getattr(row, name) != value]
        if changed:
            for name in changed:
                setattr(row, name, given[name])
            row.save(update_fields=changed)
            _record(row.clinic, row, "own_details_changed", row, now, fields=changed)
    return changed


def change_own_password(*, clinician: Clinician, password: str, now: datetime) -> None:
    """Set one's own password, on record; it has been checked by Django's validators."""
    with transaction.atomic():
        clinician.set_password(password)
        clinician.save(update_fields=["password"])
        _record(clinician.clinic, clinician, "password_changed", clinician, now)


def _hold(clinician: Clinician) -> Clinician:
    """Lock the clinic's row, then read the account: two owners cannot remove each other at the same moment."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinician.clinic_id)
    return Clinician.objects.select_related("clinic").get(pk=clinician.pk)


def _keep_an_owner(leaving: Clinician) -> None:
    if leaving.role != Role.OWNER or not leaving.is_active:
        return
    owners = Clinician.objects.filter(clinic=leaving.clinic_id, role=Role.OWNER, is_active=True)
    if not owners.exclude(pk=leaving.pk).exists():
        raise LastOwnerError("This is the clinic’s only owner. Make somebody else an owner first.")


def _make_link(kind: StaffLink.Kind, now: datetime, **fields: Any) -> tuple[StaffLink, str]:
    # 256 random bits: a plain hash is enough, because there is nothing to guess (unlike a password).
    plain = secrets.token_urlsafe(32)
    link = StaffLink.objects.create(
        kind=kind, digest=_digest(plain), made_at=now, expires_at=now + LINK_LIVES[kind], **fields
    )
    return link, plain


def _open_links(*, clinician: Clinician) -> Any:
    return StaffLink.objects.filter(clinician=clinician, used_at__isnull=True, withdrawn_at__isnull=True)


def _use(link: StaffLink, now: datetime) -> StaffLink:
    """Lock the link and mark it as used; the caller saves. Of two people with the same link one gets in."""
    row = StaffLink.objects.select_for_update(of=("self",)).select_related("clinic", "clinician").get(pk=link.pk)
    if not works(link=row, now=now):
        raise ConflictError("This link was used already, or its time is over. Ask the clinic’s owner for a new one.")
    row.used_at = now
    return row


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _record(
    clinic: Clinic, by: Clinician | None, verb: str, subject: Clinician | StaffLink, now: datetime, **details: Any
) -> None:
    audit.record(
        clinic=clinic,
        actor=AuditEvent.Actor.CLINICIAN if by else AuditEvent.Actor.SYSTEM,
        clinician=by,
        verb=verb,
        subject=subject,
        now=now,
        **details,
    )
