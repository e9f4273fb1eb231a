"""Django finds all models here: one app label, one migration history, each noun at home in its capability."""

from reminders.clinic.account_models import OneTimeSecret, RecoveryCode, SignedInDevice, StaffLink
from reminders.clinic.models import (
    ApiKey,
    AuditEvent,
    Clinic,
    Clinician,
    ConsentRecord,
    LadderRung,
    Patient,
    PatientPhone,
    ScreeningRecord,
    TreatmentSession,
)
from reminders.clock.models import ClockOffset
from reminders.console.models import ImportFile, ImportLayout, SignInBrake
from reminders.content.models import Protocol, ProtocolVersion, RehearsalCheck, Step, Template, TemplateVersion
from reminders.conversations.models import CheckIn, InboundMessage, Picture, Understanding, WhoseAnswer
from reminders.escalations.models import Escalation
from reminders.insights.models import Heartbeat
from reminders.messaging.models import AftercarePlan, CarrierEvent, DeliveryAttempt, Message, OutboxRow, Sender
from reminders.messaging.rounds import Round

__all__ = [
    "AftercarePlan",
    "ApiKey",
    "AuditEvent",
    "CarrierEvent",
    "CheckIn",
    "Clinic",
    "Clinician",
    "ClockOffset",
    "ConsentRecord",
    "DeliveryAttempt",
    "Escalation",
    "Heartbeat",
    "ImportFile",
    "ImportLayout",
    "InboundMessage",
    "LadderRung",
    "Message",
    "OneTimeSecret",
    "OutboxRow",
    "Patient",
    "PatientPhone",
    "Picture",
    "Protocol",
    "ProtocolVersion",
    "RecoveryCode",
    "RehearsalCheck",
    "Round",
    "ScreeningRecord",
    "Sender",
    "SignInBrake",
    "SignedInDevice",
    "StaffLink",
    "Step",
    "Template",
    "TemplateVersion",
    "TreatmentSession",
    "Understanding",
    "WhoseAnswer",
]
