"""Pictures that came with texts: what became of each, and its bytes, encrypted."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0014_fell_away'),
    ]

    operations = [
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('position', models.PositiveSmallIntegerField()),
                ('declared_type', models.CharField(blank=True, max_length=100)),
                ('state', models.CharField(choices=[('waiting', 'Still at the carrier'), ('kept', 'Kept here'), ('refused', 'Not kept')], default='waiting', max_length=7)),
                ('refusal', models.CharField(blank=True, max_length=20)),
                ('content', models.BinaryField(blank=True, null=True)),
                ('media_type', models.CharField(blank=True, max_length=20)),
                ('size', models.PositiveIntegerField(blank=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('next_try_at', models.DateTimeField(blank=True, null=True)),
                ('fetched_at', models.DateTimeField(blank=True, null=True)),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reminders.clinic')),
                ('inbound', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='reminders.inboundmessage')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_try_at__isnull', False)), fields=['next_try_at'], name='picture_to_do')],
                'constraints': [models.UniqueConstraint(fields=('inbound', 'position'), name='picture_once_per_place'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'kept', 'refused'])), name='picture_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', False), ('fetched_at__isnull', False), ('size__isnull', False), ('state', 'kept'), models.Q(('media_type', ''), _negated=True)), models.Q(models.Q(('state', 'kept'), _negated=True), ('content__isnull', True)), _connector='OR'), name='picture_kept_has_content'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), models.Q(('refusal', ''), _negated=True)), models.Q(models.Q(('state', 'refused'), _negated=True), ('refusal', '')), _connector='OR'), name='picture_refused_has_reason')],
            },
        ),
        # What is encrypted cannot be pressed smaller: do not try.
        migrations.RunSQL(
            "ALTER TABLE reminders_picture ALTER COLUMN content SET STORAGE EXTERNAL", migrations.RunSQL.noop
        ),
    ]
