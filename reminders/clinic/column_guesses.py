"""Guessing which column of somebody's table is which field, by its name in English or Spanish, and how dates are
written in it. A guess is shown to a person before anything is stored."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from reminders.clinic.intake_fields import FIELDS

FULL_NAME, END_DAY, END_TIME = "full_name", "ended_on_day", "ended_at_time"
JOINED: Final = (FULL_NAME, END_DAY, END_TIME)
"""What tables have in a way of their own: a name in one cell, the end of a session in two."""

LEFT_OUT: Final = ""
_LONGEST_SAMPLE: Final = 500

_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "external_id": (
        "id", "session id", "session number", "visit id", "visit number", "appointment id", "appt id", "encounter id",
        "id de la sesion", "id sesion", "numero de sesion", "id cita", "id de la cita", "numero de cita", "no de cita",
        "no cita", "cita",
    ),
    "status": ("session status", "visit status", "appointment status", "estado", "estado de la cita"),
    "technique": (
        "treatment", "treatment type", "needling", "service", "appointment type", "visit type", "type",
        "tecnica", "tratamiento", "tipo", "tipo de tratamiento", "tipo de cita", "servicio",
    ),
    "regions": (
        "region", "body region", "body regions", "body part", "body parts", "area", "areas", "treated area",
        "treated regions", "zona", "zonas", "zona tratada", "parte del cuerpo", "regiones",
    ),
    "ended_at": (
        "end", "ended", "end date and time", "end datetime", "session end", "session ended", "finished", "finished at",
        "check out", "checkout", "date and time", "datetime", "fin", "fecha y hora", "fecha y hora de fin", "termino",
    ),
    END_DAY: ("date", "visit date", "session date", "appointment date", "date of service", "service date", "dos",
              "fecha", "fecha de la cita", "fecha de la sesion", "dia"),
    END_TIME: ("time", "end time", "time out", "ended time", "hora", "hora de fin", "hora fin", "hora de salida"),
    "clinician": (
        "provider", "therapist", "treating therapist", "practitioner", "staff", "pt",
        "terapeuta", "fisioterapeuta", "profesional", "fisio",
    ),
    "soreness_before": ("pain before", "pain pre", "pre pain", "nprs before", "soreness pre",
                        "dolor antes", "dolor previo", "molestia antes"),
    "soreness_after": ("pain after", "pain post", "post pain", "nprs after", "soreness post", "dolor despues",
                       "dolor posterior", "molestia despues"),
    "patient_external_id": (
        "patient id", "patient number", "mrn", "medical record number", "chart number", "record number",
        "account number",
        "client id", "id del paciente", "id paciente", "numero de paciente", "historia",
        "numero de historia", "expediente",
    ),
    "given_name": (
        "first name", "firstname", "first", "given", "patient first name", "forename",
        "nombre", "nombres", "primer nombre", "nombre de pila",
    ),
    "family_name": (
        "last name", "lastname", "last", "surname", "patient last name", "family",
        "apellido", "apellidos", "primer apellido",
    ),
    FULL_NAME: ("name", "full name", "patient", "patient name", "client", "client name",
                "nombre completo", "nombre y apellidos", "paciente", "nombre del paciente", "cliente"),
    "phone": (
        "mobile", "mobile phone", "cell", "cell phone", "cellphone", "phone number", "mobile number", "telephone",
        "patient phone", "telefono", "movil", "celular", "telefono movil", "telefono celular", "numero de telefono",
    ),
    "language": ("lang", "preferred language", "idioma", "lengua", "idioma preferido"),
    "timezone": ("time zone", "tz", "zona horaria", "huso horario"),
    "birth_date": (
        "dob", "date of birth", "birthdate", "birthday", "born",
        "fecha de nacimiento", "nacimiento", "fecha nacimiento", "fdn",
    ),
    "consent": ("sms consent", "text consent", "texts ok", "agreed", "agreed to texts", "sms opt in", "opt in",
                "consentimiento", "acepta sms", "acepta mensajes", "acepta textos"),
    "consent_method": ("how consented", "consent type", "forma de consentimiento", "metodo de consentimiento"),
    "consent_at": ("consent date", "consented at", "date of consent", "fecha de consentimiento",
                   "fecha del consentimiento"),
    "consent_disclosure": ("consent words", "consent text", "texto del consentimiento"),
    "bleeding_disorder": ("bleeding", "trastorno de la coagulacion", "coagulacion", "hemofilia"),
    "anticoagulant": ("blood thinner", "blood thinners", "anticoagulants", "anticoagulantes"),
    "nsaid_allergy": ("nsaid", "aspirin allergy", "alergia a aines", "alergia aines", "alergia a aspirina"),
    "ulcer": ("stomach ulcer", "ulcera", "ulcera de estomago"),
    "kidney_disease": ("kidney", "kidneys", "renal", "enfermedad renal", "rinon", "rinones"),
    "liver_disease": ("liver", "hepatic", "enfermedad hepatica", "higado"),
    "pregnancy": ("pregnant", "embarazo", "embarazada"),
    "metal_allergy": ("metal", "alergia a metales", "alergia al metal", "alergia metal"),
    "reduced_sensation": ("numbness", "sensation", "sensibilidad reducida", "menos sensibilidad"),
    "pacemaker": ("implant", "implanted device", "marcapasos"),
}  # fmt: skip


class DateOrder(StrEnum):
    """How dates are written: 2025-03-04, 3/4/2025 for the fourth of March, or 4/3/2025 for the same day."""

    YEAR_FIRST = "year"
    MONTH_FIRST = "month"
    DAY_FIRST = "day"


_WITH_NUMBERS: Final = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})\b")


def is_known(cell: str) -> bool:
    """Tell whether this looks like the name of a column that we know."""
    return _plain(cell) in _BY_NAME


def guess_columns(header: Sequence[str]) -> list[str]:
    """Return a field for each column, `LEFT_OUT` where none is known; no field twice, the exact name first."""
    plain = [_plain(cell) for cell in header]
    guesses = [LEFT_OUT] * len(header)
    taken: set[str] = set()
    exact = [(index, name.replace(" ", "_")) for index, name in enumerate(plain)]
    wanted = [(index, name) for index, name in exact if name in FIELDS]
    wanted += [(index, _BY_NAME[name]) for index, name in enumerate(plain) if name in _BY_NAME]
    for index, field in wanted:
        if not guesses[index] and field not in taken:
            guesses[index] = field
            taken.add(field)
    return _settled(guesses)


def looks_like_patients(columns: Sequence[str]) -> bool:
    """Tell whether a table with these fields holds patients without sessions: it says of nothing when it ended."""
    return not {"ended_at", "ended_minutes_ago", END_DAY, "technique", "status"} & set(columns)


def for_patients(columns: Sequence[str]) -> list[str]:
    """Return the fields of a table of patients: its "ID" is the patient's."""
    if "patient_external_id" in columns:
        return list(columns)
    return ["patient_external_id" if field == "external_id" else field for field in columns]


def guess_date_order(cells: Iterable[str]) -> DateOrder:
    """Return how dates in these cells are written; where nothing tells, as in the United States."""
    first_numbers = []
    for _count, cell in zip(range(_LONGEST_SAMPLE), cells, strict=False):
        found = _WITH_NUMBERS.match(cell.strip())
        if found:
            first_numbers.append(int(found[1]))
    if not first_numbers:
        return DateOrder.YEAR_FIRST
    return DateOrder.DAY_FIRST if max(first_numbers) > 12 else DateOrder.MONTH_FIRST


def _settled(guesses: list[str]) -> list[str]:
    """Drop what another column says better: "name" beside "last name" is the given one, a lone day is the whole end."""
    if FULL_NAME in guesses and "family_name" in guesses and "given_name" not in guesses:
        guesses[guesses.index(FULL_NAME)] = "given_name"
    if FULL_NAME in guesses and "given_name" in guesses:
        guesses[guesses.index(FULL_NAME)] = LEFT_OUT
    if "ended_at" in guesses:
        guesses = [LEFT_OUT if field in (END_DAY, END_TIME) else field for field in guesses]
    elif END_DAY in guesses and END_TIME not in guesses:
        guesses[guesses.index(END_DAY)] = "ended_at"
    return guesses


def _plain(cell: str) -> str:
    """Return a column's name without case, accents and signs: "Fecha de Nacimiento:" is "fecha de nacimiento"."""
    letters = unicodedata.normalize("NFKD", cell.casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", kept).split())


_BY_NAME: Final = {
    **{_plain(field.replace("_", " ")): field for field in FIELDS},
    **{name: field for field, names in _NAMES.items() for name in names},
}
