"""The outbox: one narrow row per message that has not come to its end, kept in step by triggers."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# A message in one of the outbox's states has its row there from the statement that writes it, whoever writes it.
OPEN_STATES = "('scheduled', 'sending', 'ambiguous', 'unresolved')"
ENTER_AND_LEAVE = f"""
CREATE FUNCTION reminders_enter_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reminders_outbox (
        message_id, clinic_id, sender_id, to_number, priority, segments, consent_rule, unknown_policy, state,
        due_at, expires_at, attempts, began_at, look_at, changed_at
    )
    SELECT id, clinic_id, sender_id, to_number, priority, segments, consent_rule, unknown_policy, state,
           due_at, expires_at, attempts, CASE WHEN attempts > 0 THEN changed_at END, changed_at, changed_at
    FROM entered WHERE state IN {OPEN_STATES};
    RETURN NULL;
END
$$;
CREATE FUNCTION reminders_leave_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM reminders_outbox o USING moved m WHERE o.message_id = m.id AND m.state NOT IN {OPEN_STATES};
    RETURN NULL;
END
$$;
CREATE FUNCTION reminders_deleted_from_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM reminders_outbox o USING gone g WHERE o.message_id = g.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER message_enters_outbox AFTER INSERT ON reminders_message
    REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION reminders_enter_outbox();
CREATE TRIGGER message_leaves_outbox AFTER UPDATE ON reminders_message
    REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION reminders_leave_outbox();
CREATE TRIGGER message_is_gone AFTER DELETE ON reminders_message
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION reminders_deleted_from_outbox();
"""
# Messages that are under way while this runs: a claim is taken back, for its worker's fence is gone.
MOVE_IN = f"""
UPDATE reminders_message SET state = 'scheduled' WHERE state = 'claimed';
INSERT INTO reminders_outbox (
    message_id, clinic_id, sender_id, to_number, priority, segments, consent_rule, unknown_policy, state,
    due_at, expires_at, lease_until, fence, attempts, began_at, unknown_tries, look_at, changed_at
)
SELECT id, clinic_id, sender_id, to_number, priority, segments, consent_rule, unknown_policy, state,
       due_at, expires_at, lease_until, fence + 1, attempts, changed_at, 0, changed_at, changed_at
FROM reminders_message WHERE state IN {OPEN_STATES};
"""
# The outbox turns over all day: room for new versions on the same page, and cleaning that keeps up whatever its size.
STORAGE = """
ALTER TABLE reminders_outbox SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000
);
ALTER TABLE reminders_message SET (
    fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0008_message_introduces"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxRow",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="outbox",
                        serialize=False,
                        to="reminders.message",
                    ),
                ),
                ("to_number", models.CharField(max_length=16)),
                ("priority", models.PositiveSmallIntegerField()),
                ("segments", models.PositiveSmallIntegerField()),
                (
                    "consent_rule",
                    models.CharField(
                        choices=[
                            ("granted", "Newest decision is a grant"),
                            ("not_revoked", "Newest decision is not an opt-out"),
                            ("none", "No consent needed: staff, opt-out confirmation, HELP"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "unknown_policy",
                    models.CharField(
                        choices=[
                            ("settle", "Wait for evidence, never send twice"),
                            ("resend", "Send again: lost is worse than twice"),
                        ],
                        max_length=6,
                    ),
                ),
                ("state", models.CharField(default="scheduled", max_length=10)),
                ("due_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("began_at", models.DateTimeField(blank=True, null=True)),
                ("unknown_tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("look_at", models.DateTimeField(blank=True, null=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "reminders_outbox",
            },
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="message_state_is_legal",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_waiting",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_next_due",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_leased",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_ambiguous",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_unsent_by_phone",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_unresolved",
        ),
        migrations.RemoveField(
            model_name="sender",
            name="allowance",
        ),
        migrations.RemoveField(
            model_name="sender",
            name="allowance_at",
        ),
        migrations.AddField(
            model_name="sender",
            name="claimed_until",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="sender",
            name="turns_until",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name="message",
            name="clinic",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reminders.clinic"
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="clinician",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="patient",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="reminders.patient",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="reminders.aftercareplan",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="sender",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="reminders.sender",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="template_version",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reminders.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="outboxrow",
            name="clinic",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="reminders.clinic",
            ),
        ),
        migrations.AddField(
            model_name="outboxrow",
            name="sender",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="reminders.sender",
            ),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(
                condition=models.Q(("state", "scheduled")),
                fields=["sender", "priority", "due_at", "message"],
                name="outbox_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(condition=models.Q(("state", "scheduled")), fields=["due_at"], name="outbox_next_due"),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(
                condition=models.Q(("state__in", ["claimed", "sending"])),
                fields=["lease_until"],
                include=("state", "priority"),
                name="outbox_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(condition=models.Q(("state", "ambiguous")), fields=["look_at"], name="outbox_ambiguous"),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(
                condition=models.Q(("state", "unresolved")), fields=["changed_at"], name="outbox_unresolved"
            ),
        ),
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(fields=["clinic", "to_number"], name="outbox_by_phone"),
        ),
        migrations.AddConstraint(
            model_name="outboxrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["ambiguous", "claimed", "scheduled", "sending", "unresolved"])),
                name="outbox_state_is_legal",
            ),
        ),
        migrations.RunSQL(MOVE_IN, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name="message",
            name="fence",
        ),
        migrations.RemoveField(
            model_name="message",
            name="lease_until",
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "scheduled",
                            "sending",
                            "accepted",
                            "sent",
                            "delivered",
                            "undelivered",
                            "failed",
                            "rejected",
                            "ambiguous",
                            "unresolved",
                            "replaced",
                            "cancelled",
                            "expired",
                            "suppressed",
                        ],
                    )
                ),
                name="message_state_is_legal",
            ),
        ),
        migrations.RunSQL(
            ENTER_AND_LEAVE + STORAGE,
            "DROP TRIGGER message_enters_outbox ON reminders_message; DROP FUNCTION reminders_enter_outbox; "
            "DROP TRIGGER message_leaves_outbox ON reminders_message; DROP FUNCTION reminders_leave_outbox; "
            "DROP TRIGGER message_is_gone ON reminders_message; DROP FUNCTION reminders_deleted_from_outbox;",
        ),
    ]
