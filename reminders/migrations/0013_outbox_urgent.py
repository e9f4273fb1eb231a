"""Whether something urgent is due, at a glance."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0012_rounds")]

    operations = [
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(
                condition=models.Q(("priority", 0), ("state", "scheduled")), fields=["due_at"], name="outbox_urgent"
            ),
        ),
    ]
