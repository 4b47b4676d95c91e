"""Transitions and published versions are never changed in place; runs are vacuumed early because they move often."""

from django.db import migrations

from customers.sql import append_only


class Migration(migrations.Migration):
    dependencies = (("journeys", "0001_initial"), ("customers", "0003_append_only"))

    operations = (
        append_only("journeys_transition"),
        append_only("journeys_journeyversion"),
        migrations.RunSQL(
            "ALTER TABLE journeys_run SET (autovacuum_vacuum_scale_factor = 0.02, fillfactor = 90)",
            "ALTER TABLE journeys_run RESET (autovacuum_vacuum_scale_factor, fillfactor)",
        ),
    )
