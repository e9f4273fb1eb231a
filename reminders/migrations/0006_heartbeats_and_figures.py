"""Heartbeats of processes, and the indexes that keep the figures of monitoring cheap."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0005_consent_words_never_change")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("duty", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=200)),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "duty", "name"), name="heartbeat_once")],
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "unresolved")), fields=["changed_at"], name="message_unresolved"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["ambiguous", "claimed", "scheduled", "sending", "unresolved"]), _negated=True
                ),
                fields=["changed_at"],
                include=("state",),
                name="message_lately",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("verb", "second_carrier_id")), fields=["at"], name="audit_second_carrier_id"
            ),
        ),
    ]
