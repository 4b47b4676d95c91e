"""What a rule looked at and what stood in the way of an entry, kept with the decision; periods without scans."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("journeys", "0004_drafts"),)

    operations = (
        migrations.CreateModel(
            name="RuleInputs",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seq", models.IntegerField(verbose_name="sequence")),
                ("traits", models.JSONField(verbose_name="traits")),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="journeys.run",
                    ),
                ),
            ],
            options={"verbose_name": "rule inputs", "verbose_name_plural": "rule inputs"},
        ),
        migrations.AddField(
            model_name="entryrefusal",
            name="live_run_id",
            field=models.BigIntegerField(null=True, verbose_name="run that was live"),
        ),
        migrations.AddField(
            model_name="entryrefusal",
            name="exit_rule",
            field=models.SmallIntegerField(
                help_text="Its number in the version, from 0.", null=True, verbose_name="exit rule that held"
            ),
        ),
        migrations.AlterField(
            model_name="entryrefusal",
            name="journey_id",
            field=models.UUIDField(verbose_name="journey"),
        ),
        migrations.AddIndex(
            model_name="entryrefusal",
            index=models.Index(fields=["journey_id", "at"], name="refusal_by_journey"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["journey", "entered_at"], name="run_by_journey"),
        ),
    )
