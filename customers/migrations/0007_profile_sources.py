"""Who was named by which source so far, as far as events tell."""

from django.db import migrations

BACKFILL = """
    INSERT INTO customers_profilesource (profile_id, source_id, first_seen_at)
    SELECT profile_id, source_id, min(received_at) FROM customers_event GROUP BY 1, 2
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = (("customers", "0006_partner_tokens"),)

    operations = (migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),)
