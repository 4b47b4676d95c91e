"""What servers told of typed names was kept as claimed, where they said nothing of how sure they were.

Moved are edges of sources that never had a browser key nor a partner's token: nothing else can have claimed there. Of
the others nobody can tell any more; they stay claims until their source names the two together again.
"""

from django.db import migrations

MOVE = """
    WITH moved AS (
        DELETE FROM customers_edge e
        WHERE e.assurance = 1
          AND NOT EXISTS (
              SELECT 1 FROM customers_writekey k WHERE k.source_id = e.source_id AND k.kind = 'browser'
          )
          AND NOT EXISTS (SELECT 1 FROM customers_partnertoken_sources t WHERE t.source_id = e.source_id)
        RETURNING e.*
    )
    INSERT INTO customers_edge AS e
        (low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped, recorded_at)
    SELECT low_id, high_id, kind, 2, occurred_at, source_id, message_id, skipped, recorded_at FROM moved
    ON CONFLICT (low_id, high_id, kind, assurance) DO UPDATE
        SET occurred_at = excluded.occurred_at, source_id = excluded.source_id, message_id = excluded.message_id
        WHERE (excluded.occurred_at, excluded.source_id, excluded.message_id)
            < (e.occurred_at, e.source_id, e.message_id)
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0034_named_how_surely")]

    operations = [migrations.RunSQL(MOVE, migrations.RunSQL.noop)]
