"""The clock's function, and the rule that published words never change."""

from django.db import migrations

CLOCK = """
CREATE FUNCTION reminders_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp() + COALESCE((SELECT "offset" FROM reminders_clockoffset WHERE id = 1), interval '0')
$$;
"""

PUBLISHED_WORDS = """
CREATE FUNCTION reminders_refuse_change_of_published_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published template version never changes' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER published_words_never_change BEFORE UPDATE OF body, published_at, number ON reminders_templateversion
    FOR EACH ROW WHEN (
        OLD.published_at IS NOT NULL
        AND (OLD.body, OLD.published_at, OLD.number) IS DISTINCT FROM (NEW.body, NEW.published_at, NEW.number)
    ) EXECUTE FUNCTION reminders_refuse_change_of_published_words();
"""

APPEND_ONLY = """
CREATE FUNCTION reminders_refuse_change_of_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OF at, actor, verb, subject, subject_id, details
    ON reminders_auditevent FOR EACH ROW EXECUTE FUNCTION reminders_refuse_change_of_record();
CREATE TRIGGER consent_is_append_only BEFORE UPDATE OF number, channel, decision, method, recorded_at
    ON reminders_consentrecord FOR EACH ROW EXECUTE FUNCTION reminders_refuse_change_of_record();
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0001_initial")]

    operations = [
        migrations.RunSQL(CLOCK, "DROP FUNCTION reminders_now()"),
        migrations.RunSQL(
            PUBLISHED_WORDS,
            "DROP TRIGGER published_words_never_change ON reminders_templateversion; "
            "DROP FUNCTION reminders_refuse_change_of_published_words()",
        ),
        migrations.RunSQL(
            APPEND_ONLY,
            "DROP TRIGGER audit_is_append_only ON reminders_auditevent; "
            "DROP TRIGGER consent_is_append_only ON reminders_consentrecord; "
            "DROP FUNCTION reminders_refuse_change_of_record()",
        ),
    ]
