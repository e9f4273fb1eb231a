"""Finding what the carrier could not deliver costs by what failed lately, not by what ever did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0013_outbox_urgent"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["failed", "undelivered"])),
                fields=["changed_at"],
                name="message_fell_away",
            ),
        ),
    ]
