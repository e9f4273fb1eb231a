"""What happened in the clinic, for the layers above that must act in the same transaction.

Receivers run synchronously inside the transaction that sends the event, so a void or an opt-out and the cancelling of
what is unsent commit together or not at all. Senders pass ids and rows, never words.
"""

from django.dispatch import Signal

treatment_session_recorded = Signal()
"""A new treatment session was stored. Arguments: `treatment_session`, `now`."""

treatment_session_corrected = Signal()
"""A stored session's end, technique or regions changed (its `revision` rose). Arguments: `treatment_session`, `now`."""

treatment_session_voided = Signal()
"""A session was taken back. Arguments: `treatment_session`, `now`."""

consent_revoked = Signal()
"""A phone opted out. Arguments: `clinic`, `number`, `now`."""

patients_merged = Signal()
"""Two entries of one person become one. Arguments: `kept`, `duplicate`, `now`. Receivers move every row of theirs that
names the duplicate, which is deleted next; who cannot raises ConflictError with a sentence, and nothing happens."""
