"""Which clinic a command means. Needs Django."""

from reminders.clinic.models import Clinic
from reminders.clinic.session_files import SessionFileError


def choose_clinic(slug: str | None) -> Clinic:
    """Return the clinic with this slug, or the only one there is. Raises SessionFileError with the known slugs."""
    known = {clinic.slug: clinic for clinic in Clinic.objects.order_by("slug")}
    if slug is None and len(known) == 1:
        return next(iter(known.values()))
    if slug in known:
        return known[slug]
    if not known:
        raise SessionFileError("There is no clinic yet: `reminders up` makes a sample one; see docs/running.md.")
    wish = "Say which clinic with --clinic" if slug is None else "There is no such clinic; choose one with --clinic"
    raise SessionFileError(f"{wish}: {', '.join(known)}.")
