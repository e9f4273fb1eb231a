"""Failed logins, counted over all web processes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0003_message_withdrawn")]

    operations = [
        migrations.CreateModel(
            name="SignInBrake",
            fields=[
                ("who", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("forget_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
