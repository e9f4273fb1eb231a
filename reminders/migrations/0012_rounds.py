"""How far each round over what happened has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0011_flat_for_years")]

    operations = [
        migrations.CreateModel(
            name="Round",
            fields=[
                ("name", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("come_to", models.DateTimeField()),
            ],
        ),
    ]
