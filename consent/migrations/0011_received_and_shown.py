import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models.functions import Cast, Now

# What was taken down so far was taken to be received on that day.
RECEIVED = """
    UPDATE consent_privacyrequest r SET asked_on = (r.opened_at AT TIME ZONE b.zone)::date
    FROM customers_brand b WHERE b.id = r.brand_id
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_claims_are_confirmed")]

    operations = [
        migrations.AddField(
            model_name="privacyrequest",
            name="asked_on",
            field=models.DateField(
                db_default=Cast(Now(), models.DateField()),
                help_text="The day it was received, in the brand’s zone: the clock of the law runs from it.",
                verbose_name="asked on",
            ),
        ),
        migrations.RunSQL(RECEIVED, ""),
        migrations.AlterField(
            model_name="privacyrequest",
            name="opened_at",
            field=models.DateTimeField(verbose_name="taken down at"),
        ),
        migrations.AddField(
            model_name="erasure",
            name="shown",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="profiles shown",
            ),
        ),
    ]
