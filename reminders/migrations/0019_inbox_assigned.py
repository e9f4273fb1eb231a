"""Who has taken on a text that waits in the inbox."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0018_inbox_done_list'),
    ]

    operations = [
        migrations.AddField(
            model_name='inboundmessage',
            name='assigned_to',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='inbox', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(condition=models.Q(('assigned_to__isnull', False)), fields=['assigned_to'], name='inbound_assigned'),
        ),
    ]
