"""The thousand ids of a claim are kept as they are: each lives for one batch, and to compress them took a millisecond."""

from django.db import migrations

AS_THEY_ARE = "ALTER TABLE customers_batchclaim ALTER COLUMN unit_ids SET STORAGE EXTERNAL"
COMPRESSED = "ALTER TABLE customers_batchclaim ALTER COLUMN unit_ids SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_first_in_line_by_profile")]

    operations = [migrations.RunSQL(AS_THEY_ARE, COMPRESSED)]
