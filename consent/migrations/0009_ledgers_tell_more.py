import django.db.models.deletion
from django.db import migrations, models

from customers.sql import append_only

# What is missing by now went with whose address or profile is erased; anything else that is missing is a fault.
EXPLAIN = """
    INSERT INTO consent_erasedevidence (entry_id, erased_at)
    SELECT e.id, now() FROM consent_consententry e
    WHERE NOT EXISTS (SELECT 1 FROM consent_consentevidence v WHERE v.entry_id = e.id) AND (
        EXISTS (SELECT 1 FROM customers_erasedaddress d WHERE d.address_id = e.address_id)
        OR e.profile_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM customers_profile p WHERE p.id = e.profile_id)
    )
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0008_withdraw_for_people"),
        ("customers", "0029_imported_consents"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasedEvidence",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="consent.consententry",
                        verbose_name="consent entry",
                    ),
                ),
                ("erased_at", models.DateTimeField(verbose_name="erased at")),
            ],
            options={"verbose_name": "erased evidence", "verbose_name_plural": "erased evidence"},
        ),
        migrations.RunSQL(EXPLAIN, ""),
        append_only("consent_erasedevidence"),
        migrations.AddField(
            model_name="ledgeranchor",
            name="notices",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="notice versions"),
        ),
        migrations.AlterField(
            model_name="ledgeranchor",
            name="deviations",
            field=models.BigIntegerField(
                help_text=(
                    "Chains that no longer held what an earlier anchor had seen, and anchors taken from the folder."
                ),
                verbose_name="deviations",
            ),
        ),
    ]
