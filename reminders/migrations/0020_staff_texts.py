"""A kind for texts that staff write by hand."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0019_inbox_assigned'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='message',
            name='message_kind_is_known',
        ),
        migrations.AlterField(
            model_name='message',
            name='kind',
            field=models.CharField(choices=[('advice', 'Advice'), ('check_in', 'Check-in'), ('nudge', 'Nudge'), ('recheck', 'Re-check'), ('reply', 'Automatic answer'), ('emergency', 'Emergency answer'), ('confirmation', 'Confirmation'), ('personal', 'Written by staff'), ('staff_notice', 'Notice to staff'), ('staff_call', 'Call to staff')], max_length=12),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['advice', 'check_in', 'nudge', 'recheck', 'reply', 'emergency', 'confirmation', 'personal', 'staff_notice', 'staff_call'])), name='message_kind_is_known'),
        ),
    ]
