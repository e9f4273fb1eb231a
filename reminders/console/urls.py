"""Addresses of the console. Every view but the login is wrapped in `access.room`; a test sees to it."""

from django.urls import path

from reminders.console import delivery, escalations, patients, pictures, rooms, sessions, sign_in, templates_room, today

urlpatterns = [
    path("login/", sign_in.SignIn.as_view(), name="login"),
    path("logout/", sign_in.SignOut.as_view(), name="logout"),
    path("", today.today, name="today"),
    path("today/live/", today.live, name="today_live"),
    path("more/", rooms.more, name="more"),
    path("inbox/<int:inbound_id>/done/", today.inbox_done, name="inbox_done"),
    path("patients/", patients.patient_list, name="patients"),
    path("patients/<int:patient_id>/", patients.patient, name="patient"),
    path("pictures/<uuid:public_id>/", pictures.picture, name="picture"),
    path("escalations/<int:escalation_id>/", escalations.escalation, name="escalation"),
    path("escalations/<int:escalation_id>/acknowledge/", escalations.acknowledge, name="escalation_acknowledge"),
    path("escalations/<int:escalation_id>/number/", escalations.number, name="escalation_number"),
    path("escalations/<int:escalation_id>/tell/", escalations.tell, name="escalation_tell"),
    path("escalations/<int:escalation_id>/aside/", escalations.snooze, name="escalation_snooze"),
    path("escalations/<int:escalation_id>/back/", escalations.end_snooze, name="escalation_end_snooze"),
    path("escalations/<int:escalation_id>/hand-over/", escalations.hand_over, name="escalation_hand_over"),
    path("escalations/<int:escalation_id>/resolve/", escalations.resolve, name="escalation_resolve"),
    path("templates/", templates_room.template_list, name="templates"),
    path("templates/<slug:key>/<slug:language>/", templates_room.editor, name="template"),
    path("templates/<slug:key>/<slug:language>/preview/", templates_room.preview, name="template_preview"),
    path("delivery/", delivery.delivery_room, name="delivery"),
    path("delivery/texts/<int:message_id>/sent/", delivery.mark_sent, name="delivery_mark_sent"),
    path("delivery/texts/<int:message_id>/not-arrived/", delivery.mark_not_arrived, name="delivery_not_arrived"),
    path("delivery/texts/<int:message_id>/again/", delivery.again, name="delivery_send_again"),
    path("delivery/numbers/<int:phone_id>/fine/", delivery.number_fine, name="delivery_number_fine"),
    path("delivery/senders/<int:sender_id>/resume/", delivery.resume, name="delivery_sender_resume"),
    path("sessions/new/", sessions.new, name="session_new"),
    path("sessions/<int:session_id>/", sessions.correct, name="session_correct"),
    path("sessions/<int:session_id>/void/", sessions.void, name="session_void"),
]
