"""A text kept until two who share a phone say whose it is; texts that lost a part; who has had too many answers."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reminders', '0015_pictures'),
    ]

    operations = [
        migrations.CreateModel(
            name='WhoseAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40)),
                ('patient_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('state', models.CharField(choices=[('open', 'Asked'), ('settled', 'Answered'), ('given_up', 'With a person')], default='open', max_length=8)),
                ('asked_at', models.DateTimeField()),
                ('closes_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name='inboundmessage',
            name='is_cut_short',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='checkin',
            name='outcome',
            field=models.CharField(blank=True, choices=[('resolved', 'Fine'), ('persists', 'Still sore'), ('red_flag', 'Danger sign'), ('human', 'A person is looking'), ('silent', 'No answer'), ('opted_out', 'Opted out'), ('wrong_number', 'Wrong number'), ('voided', 'Session voided')], max_length=13),
        ),
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(fields=['clinic', 'from_number', 'received_at'], name='inbound_by_phone'),
        ),
        migrations.AddField(
            model_name='whoseanswer',
            name='clinic',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reminders.clinic'),
        ),
        migrations.AddField(
            model_name='whoseanswer',
            name='inbound',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='whose', to='reminders.inboundmessage'),
        ),
        migrations.AddIndex(
            model_name='whoseanswer',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['closes_at'], name='whose_open'),
        ),
        migrations.AddIndex(
            model_name='whoseanswer',
            index=models.Index(fields=['clinic', 'number', 'asked_at'], name='whose_by_phone'),
        ),
        migrations.AddConstraint(
            model_name='whoseanswer',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'settled', 'given_up'])), name='whose_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='whoseanswer',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('clinic', 'number'), name='whose_asked_once'),
        ),
    ]
