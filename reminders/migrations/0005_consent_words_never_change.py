"""The words of a consent belong to its record: they never change either."""

from django.db import migrations

TRIGGER = """
DROP TRIGGER consent_is_append_only ON reminders_consentrecord;
CREATE TRIGGER consent_is_append_only BEFORE UPDATE OF {columns}
    ON reminders_consentrecord FOR EACH ROW EXECUTE FUNCTION reminders_refuse_change_of_record();
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0004_sign_in_brake")]

    operations = [
        migrations.RunSQL(
            TRIGGER.format(columns="number, channel, decision, method, disclosure, recorded_at"),
            TRIGGER.format(columns="number, channel, decision, method, recorded_at"),
        ),
    ]
