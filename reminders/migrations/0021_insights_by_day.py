"""Insights are read by the days asked for, and texts by an index that holds what is counted."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0020_staff_texts'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='message',
            name='message_lately',
        ),
        migrations.AddIndex(
            model_name='checkin',
            index=models.Index(fields=['clinic', 'asked_at'], name='check_in_by_day'),
        ),
        migrations.AddIndex(
            model_name='consentrecord',
            index=models.Index(condition=models.Q(('decision', 'revoked')), fields=['clinic', 'recorded_at'], name='consent_ended'),
        ),
        migrations.AddIndex(
            model_name='escalation',
            index=models.Index(fields=['clinic', 'created_at'], name='escalation_by_day'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state__in', ['ambiguous', 'claimed', 'scheduled', 'sending', 'unresolved']), _negated=True), fields=['changed_at'], include=('state', 'clinic', 'kind', 'channel', 'segments'), name='message_lately'),
        ),
        migrations.AddIndex(
            model_name='treatmentsession',
            index=models.Index(fields=['clinic', 'ended_at'], name='session_by_day'),
        ),
    ]
