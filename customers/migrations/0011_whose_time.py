"""Of every event, on whose word its time is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("customers", "0010_more_kinds"),)

    operations = (
        migrations.RunSQL(
            "ALTER TABLE customers_event ADD COLUMN time_source smallint NOT NULL DEFAULT 0",
            "ALTER TABLE customers_event DROP COLUMN time_source",
        ),
    )
