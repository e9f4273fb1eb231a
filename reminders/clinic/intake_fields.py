"""The flat fields of an intake: their names, their meaning, and the closed lists behind some of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REGIONS: Final = (
    "head", "jaw", "neck", "shoulder", "upper_arm", "elbow", "forearm", "wrist", "hand",
    "upper_back", "thorax", "lower_back", "abdomen", "hip", "glute",
    "thigh", "hamstring", "knee", "calf", "shin", "ankle", "foot",
)  # fmt: skip
"""The body regions a session may name."""

CONSENT_METHODS: Final = ("intake_form", "paper_form", "web_form", "verbal")
"""How a patient may have agreed at an intake; the first is the default."""

_SCREENING_HELP: Final = {
    "bleeding_disorder": "Has a bleeding disorder",
    "anticoagulant": "Takes a blood thinner",
    "nsaid_allergy": "Is allergic to aspirin, ibuprofen or another NSAID",
    "ulcer": "Has or had a stomach ulcer or bleeding",
    "kidney_disease": "Has kidney disease",
    "liver_disease": "Has liver disease",
    "pregnancy": "Is pregnant",
    "metal_allergy": "Is allergic to a metal",
    "reduced_sensation": "Feels less in the treated area",
    "pacemaker": "Has a pacemaker or other implanted device",
}

FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "external_id": "Your own id of this session; a repeat of the same id is never a second session.",
        "status": "completed (the default), or voided to take the session back; then only the external id is read.",
        "technique": "deep, superficial or electro.",
        "regions": f"Treated body regions, a list or separated by semicolons: {', '.join(REGIONS)}.",
        "ended_at": (
            "When the session ended, at most 48 hours ago: ISO 8601 with offset (2025-03-04T17:40-06:00), or without "
            "one (2025-03-04 17:40) on the clinic's own clock."
        ),
        "ended_minutes_ago": "For examples and rehearsals, in place of ended_at: minutes from the end until now.",
        "clinician": "External id or user name of the treating clinician.",
        "soreness_before": "Soreness before the treatment, 0 to 10.",
        "soreness_after": "Soreness right after the treatment, 0 to 10.",
        "patient_external_id": "Your own id of the patient; without it, phone and full name tell who it is.",
        "given_name": "Given name.",
        "family_name": "Family name.",
        "phone": "Mobile number; without a country code it is read as a North American one.",
        "language": "Language of the texts: en or es; empty keeps what is known, at first the clinic's.",
        "timezone": (
            "Where the patient lives, as an IANA zone (America/Chicago): decides the hours of texts; empty keeps what "
            "is known, at first the clinic's."
        ),
        "birth_date": "Date of birth as year-month-day; without it no text names a drug.",
        "consent": "yes where the patient agreed to texts; empty relies on an earlier yes.",
        "consent_method": f"How they agreed: {', '.join(CONSENT_METHODS)}; empty means {CONSENT_METHODS[0]}.",
        "consent_at": "When they agreed, written like ended_at; empty means now.",
        "consent_disclosure": (
            "The exact words they agreed to, as your form has them, up to 2,000 characters: kept with the consent as "
            "its proof."
        ),
        **{fact: f"{sentence}: yes, no or unknown; empty means unknown." for fact, sentence in _SCREENING_HELP.items()},
    }
)
"""Every field of the intake and what it means. All three doors use these names."""

REQUIRED_FIELDS: Final = ("external_id", "technique", "ended_at", "given_name", "phone")
