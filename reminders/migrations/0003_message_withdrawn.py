"""Why a message in flight must not wait again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0002_clock_and_published_words")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="withdrawn",
            field=models.CharField(blank=True, db_default="", default="", max_length=30),
        ),
    ]
