"""Facts are never changed in place: the database itself refuses."""

from django.db import migrations

from customers.sql import REFUSE_FUNCTION, append_only


class Migration(migrations.Migration):
    dependencies = (("customers", "0002_event_partitions"),)

    operations = (
        migrations.RunSQL(REFUSE_FUNCTION, "DROP FUNCTION trilha_append_only()"),
        append_only("customers_event"),
        append_only("customers_auditentry"),
    )
