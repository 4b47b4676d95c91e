"""A start by API is told when the entry rule does not hold."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("journeys", "0006_why"),)

    operations = (
        migrations.AlterField(
            model_name="entryrefusal",
            name="reason",
            field=models.CharField(
                choices=[
                    ("already_live", "a run of this key is live"),
                    ("not_again", "entered before and may not again"),
                    ("no_consent", "no consent"),
                    ("no_address", "no address for any channel"),
                    ("exit_already_true", "an exit rule already holds"),
                    ("key_missing", "the entry key is missing"),
                    ("rule_not_met", "the entry rule does not hold"),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
    )
