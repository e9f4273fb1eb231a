"""Patients can be erased once the clinic's time for keeping records has passed."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0025_import_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinic',
            name='records_kept_years',
            field=models.PositiveSmallIntegerField(db_default=10, default=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='clinic',
            constraint=models.CheckConstraint(condition=models.Q(('records_kept_years__gte', 6)), name='clinic_keeps_records_six_years'),
        ),
    ]
