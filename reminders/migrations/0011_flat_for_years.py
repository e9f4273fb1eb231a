"""What is asked every second or every few stays as cheap as on the first day: indexes that hold that alone."""

import django.db.models.deletion
from django.db import migrations, models

# The sweep that opens check-ins is done with every question that has one, and with those of voided sessions.
SEEN_TO = """
UPDATE reminders_message m SET seen_to = true
FROM reminders_treatmentsession s
WHERE s.id = m.treatment_session_id AND m.kind IN ('check_in', 'recheck')
  AND (s.status <> 'completed' OR EXISTS (SELECT FROM reminders_checkin c WHERE c.message_id = m.id))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0010_history_by_month"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="treatmentsession",
            name="session_not_planned",
        ),
        migrations.AddField(
            model_name="message",
            name="seen_to",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunSQL(SEEN_TO, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="checkin",
            name="clinic",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reminders.clinic"
            ),
        ),
        migrations.AddIndex(
            model_name="checkin",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["clinic", "asked_at"], name="check_in_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="checkin",
            index=models.Index(
                condition=models.Q(("state", "answered")), fields=["clinic", "answered_at"], name="check_in_answered"
            ),
        ),
        migrations.AddIndex(
            model_name="checkin",
            index=models.Index(
                condition=models.Q(("state", "silent")), fields=["clinic", "closes_at"], name="check_in_silent"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("kind__in", ("check_in", "recheck")),
                    ("seen_to", False),
                    ("state__in", ["accepted", "delivered", "failed", "rejected", "sent", "undelivered"]),
                ),
                fields=["due_at"],
                name="message_asked",
            ),
        ),
        migrations.AddIndex(
            model_name="treatmentsession",
            index=models.Index(
                condition=models.Q(("planned_revision", models.F("revision")), _negated=True),
                fields=["updated_at"],
                name="session_not_planned",
            ),
        ),
    ]
