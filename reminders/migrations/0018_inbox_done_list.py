"""The list of what was dealt with in the inbox is read by an index of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0017_case_put_aside'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(condition=models.Q(('inbox', 'done')), fields=['clinic', '-received_at'], name='inbound_inbox_done'),
        ),
    ]
