"""Addresses that the carrier calls. They are part of what is configured there, so they do not change."""

from django.urls import path

from reminders.webhooks import calls, texts

urlpatterns = [
    path("sms/inbound/", texts.inbound, name="sms-inbound"),
    path("sms/status/<uuid:public_id>/", texts.status, name="sms-status"),
    path("voice/answer/<uuid:public_id>/", calls.answered, name="voice-answer"),
    path("voice/key/<uuid:public_id>/", calls.key, name="voice-key"),
    path("voice/status/<uuid:public_id>/", calls.status, name="voice-status"),
]
