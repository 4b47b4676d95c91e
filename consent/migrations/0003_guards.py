"""What the database itself refuses: to change the ledger, and to change the words of a notice once it is published."""

from django.db import migrations

from customers.sql import append_only

# A published version and its texts stay what they were, whoever asks; and only what has words is published, each
# sealed by the hash of exactly these.
GUARD = """
    CREATE FUNCTION consent_notice_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.published_at IS NOT NULL THEN
            RAISE EXCEPTION 'a published notice version is never changed' USING ERRCODE = '23514';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF NEW.published_at IS NOT NULL AND (
            NOT EXISTS (SELECT 1 FROM consent_noticetext WHERE version_id = NEW.id)
            OR EXISTS (
                SELECT 1 FROM consent_noticetext
                WHERE version_id = NEW.id AND digest IS DISTINCT FROM sha256(convert_to(text, 'UTF8'))
            )
        ) THEN
            RAISE EXCEPTION 'a notice version is published with its texts sealed' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER notice_version_stays BEFORE UPDATE OR DELETE ON consent_noticeversion
        FOR EACH ROW EXECUTE FUNCTION consent_notice_version_stays();
    CREATE FUNCTION consent_notice_text_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        version bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END;
        published timestamptz;
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.version_id <> OLD.version_id THEN
            RAISE EXCEPTION 'a notice text stays with its version' USING ERRCODE = '23514';
        END IF;
        -- Waits for whoever is just publishing the version.
        SELECT published_at INTO published FROM consent_noticeversion WHERE id = version FOR SHARE;
        IF published IS NOT NULL THEN
            RAISE EXCEPTION 'the texts of a published notice version are never changed' USING ERRCODE = '23514';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER notice_text_stays BEFORE INSERT OR UPDATE OR DELETE ON consent_noticetext
        FOR EACH ROW EXECUTE FUNCTION consent_notice_text_stays();
"""
UNGUARD = """
    DROP TRIGGER notice_text_stays ON consent_noticetext;
    DROP FUNCTION consent_notice_text_stays();
    DROP TRIGGER notice_version_stays ON consent_noticeversion;
    DROP FUNCTION consent_notice_version_stays();
"""


class Migration(migrations.Migration):
    dependencies = (("consent", "0002_privacy"),)

    operations = (
        append_only("consent_consententry"),
        # That evidence beside an entry was erased is a fact as well.
        append_only("consent_erasedevidence"),
        migrations.RunSQL(GUARD, UNGUARD),
    )
