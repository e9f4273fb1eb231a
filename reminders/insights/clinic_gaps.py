"""What a clinic still lacks before its patients can be texted and its staff be rung."""

from dataclasses import dataclass

from reminders.clinic.models import Clinic, Clinician, LadderRung
from reminders.content.models import Step, Template
from reminders.content.selectors import protocols_in_force
from reminders.core.texts import TEXTS
from reminders.messaging.models import Sender


@dataclass(frozen=True, slots=True)
class ClinicGaps:
    """What one clinic (by its slug) has and lacks. `reachable` counts its staff with a phone, on the ladder or not."""

    clinic: str
    senders: int
    rungs: int
    reachable: int
    has_protocol: bool
    missing_texts: tuple[str, ...]
    is_paused: bool


def read_clinic_gaps(*, only: Clinic | None = None) -> list[ClinicGaps]:
    """Return how every clinic is set up, or `only` this one, by slug; six queries however many there are."""
    clinics = [only] if only else list(Clinic.objects.order_by("slug"))
    senders = list(Sender.objects.filter(clinic__in=clinics).values_list("clinic_id", flat=True))
    on_duty = Clinician.objects.filter(is_active=True, clinic__in=clinics).exclude(phone="")
    reachable = list(on_duty.values_list("clinic_id", flat=True))
    rungs = list(LadderRung.objects.filter(clinician__in=on_duty).values_list("clinic_id", flat=True))
    protocols = protocols_in_force(clinic_ids=[clinic.pk for clinic in clinics])
    in_force = [version for used in protocols.values() for version in used.values()]
    published = Template.objects.filter(clinic__in=clinics, language="en", published__isnull=False)
    texts = set(published.values_list("clinic_id", "key"))
    planned = set(Step.objects.filter(protocol_version__in=in_force).values_list("clinic_id", "template_key"))
    return [
        ClinicGaps(
            clinic=clinic.slug,
            senders=senders.count(clinic.pk),
            rungs=rungs.count(clinic.pk),
            reachable=reachable.count(clinic.pk),
            has_protocol="" in protocols.get(clinic.pk, {}),
            # Every other language falls back to English.
            missing_texts=tuple(
                sorted(
                    key
                    for key in {*TEXTS, *(key for clinic_id, key in planned if clinic_id == clinic.pk)}
                    if (clinic.pk, key) not in texts
                )
            ),
            is_paused=clinic.is_paused,
        )
        for clinic in clinics
    ]
