"""A text that a person sends again: the link between the two rows, and the index of the delivery page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0006_heartbeats_and_figures")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="sends_again",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.PROTECT,
                related_name="sent_again_as",
                to="reminders.message",
            ),
        ),
        migrations.RemoveConstraint(model_name="message", name="message_once_per_step"),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("plan__isnull", False), ("sends_again__isnull", True)),
                fields=("plan", "step_key", "occurrence"),
                name="message_once_per_step",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sends_again__isnull", False)),
                fields=("sends_again",),
                name="message_sent_again_once",
            ),
        ),
        migrations.RemoveConstraint(model_name="message", name="message_state_is_legal"),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "scheduled",
                            "claimed",
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
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    (
                        "state__in",
                        ["ambiguous", "expired", "failed", "rejected", "suppressed", "undelivered", "unresolved"],
                    )
                ),
                fields=["clinic", "-changed_at"],
                name="message_trouble",
            ),
        ),
    ]
