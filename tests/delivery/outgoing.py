"""What the delivery tests send."""

from dataclasses import replace
from uuid import UUID

from reminders.delivery.port import OutgoingCall, OutgoingText

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "sandbox-token"
CLINIC = "+13125550199"
PATIENT = "+13125550101"
WORDS = "How sore is the shoulder now, 0 to 10?"
MESSAGE_ID = UUID("6f1c4f0e-3f6a-4c39-9d5c-5a7a1f0a9e11")


def text(to_number: str = PATIENT, body: str = WORDS, from_number: str = CLINIC) -> OutgoingText:
    """One text to the patient."""
    return OutgoingText(
        message_id=MESSAGE_ID,
        from_number=from_number,
        to_number=to_number,
        body=body,
        status_callback_url=f"https://clinic.example/webhooks/sms/status/{MESSAGE_ID}/#rc=3",
        validity_seconds=3600,
    )


def call() -> OutgoingCall:
    """One call to the person on call."""
    return OutgoingCall(
        message_id=MESSAGE_ID,
        from_number=CLINIC,
        to_number=PATIENT,
        answer_url=f"https://clinic.example/webhooks/voice/answer/{MESSAGE_ID}/",
        status_callback_url=f"https://clinic.example/webhooks/voice/status/{MESSAGE_ID}/",
    )


def texts(count: int) -> list[OutgoingText]:
    """So many texts that differ in their words."""
    return [replace(text(), body=f"text {number}") for number in range(count)]
