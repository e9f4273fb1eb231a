"""How sessions come in: a file with two days of them, and the six of the story one by one through the API."""

import csv
import subprocess
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.db.models import F

from reminders.clinic.models import Patient, PatientPhone, TreatmentSession
from reminders.config import BASE_DIR
from reminders.core.advice import SCREENING_FACTS
from reminders.management.demo.cast import Person, Visit
from reminders.management.demo.stage import Stage, StoryError
from reminders.management.demo.website import post_session
from reminders.management.stack.plan import reminders_command
from reminders.messaging.models import Message

EXAMPLE = Path("examples") / "treatment-sessions.csv"
SHOWN_REFUSALS = 9
PLANNING_SECONDS = 60.0
# `import-sessions`: 0 where every row was taken, 1 where some were refused.
SOME_REFUSED = 1


def import_example(stage: Stage) -> None:
    """Import the example file with the command that a clinic uses, and check what it says against the rows."""
    narrator = stage.narrator
    narrator.say(f"The clinic hands in two days of sessions: reminders import-sessions {EXAMPLE}")
    refused_path = stage.house.plan.places.data_dir / "refused.csv"
    result = subprocess.run(
        reminders_command("import-sessions", str(EXAMPLE), "--rejects", str(refused_path)),
        env=stage.house.plan.environment, cwd=BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode not in (0, SOME_REFUSED):
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise StoryError(f"`reminders import-sessions` failed: {last}")
    refused = _rows(refused_path)
    rows = len(_rows(BASE_DIR / EXAMPLE))
    stored = TreatmentSession.objects.count()
    stage.check(
        f"{rows} rows: {stored} sessions of {Patient.objects.count()} patients are in, {len(refused)} are refused, "
        "and none stopped the others",
        rows - len(refused) >= stored >= 200 and len(refused) > 0 and result.returncode == SOME_REFUSED,
    )
    narrator.details([f"row {row['row']}: {row['reason']}" for row in refused[:SHOWN_REFUSALS]])
    if len(refused) > SHOWN_REFUSALS:
        narrator.details([f"... and {len(refused) - SHOWN_REFUSALS} more, each with its reason"])
    _wait_for_plans(stage)
    stage.check(f"every session has its plan: {Message.objects.count()} dated texts", Message.objects.exists())


def _wait_for_plans(stage: Stage) -> None:
    stage.wait_for(
        lambda: not TreatmentSession.objects.exclude(planned_revision=F("revision")).exists(),
        what="every session has its plan",
        seconds=PLANNING_SECONDS,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def treat(stage: Stage, person: Person, visit: Visit) -> None:
    """Hand in a finished session through the API, twice: the repeat must change nothing."""
    if PatientPhone.objects.filter(number=person.phone).exists():
        raise StoryError(f"{person.phone} is in the example file too; the story needs numbers of its own.")
    fields = _fields(stage, person, visit)
    ended_at = person.local(stage.begins_at - visit.ended_before)
    regions = " and ".join(region.replace("_", " ") for region in visit.regions)
    words = f"{person.first_name}’s session, {visit.technique} needling of {regions}, ended at {ended_at:%H:%M}"
    stage.tell(person, words)
    answers = [
        post_session(base_url=stage.base_url, api_key=stage.house.api_key, fields=fields) for _ in ("first", "repeat")
    ]
    outcomes = [(status, answer.get("outcome")) for status, answer in answers]
    stage.check(
        "handed in through the API; sent again, it changes nothing",
        outcomes == [(HTTPStatus.CREATED, "created"), (HTTPStatus.OK, "unchanged")],
    )
    if answers[0][0] != HTTPStatus.CREATED:
        raise StoryError(f"The API refused {person.first_name}’s session: {answers[0][1].get('errors')}")
    _wait_for_plans(stage)


def _fields(stage: Stage, person: Person, visit: Visit) -> dict[str, Any]:
    given_name, family_name = person.name.split()
    ended_at = stage.begins_at - visit.ended_before
    before, after = visit.soreness
    return {
        "external_id": visit.external_id,
        "technique": visit.technique,
        "regions": list(visit.regions),
        "ended_at": person.local(ended_at).isoformat(),
        "clinician": visit.clinician,
        "soreness_before": before,
        "soreness_after": after,
        "patient_external_id": f"patient-{visit.external_id}",
        "given_name": given_name,
        "family_name": family_name,
        "phone": person.phone,
        "language": visit.language,
        "timezone": person.zone.key,
        "birth_date": "1985-05-17",
        "consent": "yes",
        **dict.fromkeys(SCREENING_FACTS, "no"),
    }
