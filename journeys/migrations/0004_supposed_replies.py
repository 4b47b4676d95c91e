from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("journeys", "0003_calls_lists_and_simulations"),
    ]

    operations = [
        migrations.AddField(
            model_name="simulation",
            name="assumed",
            field=models.JSONField(default=list, verbose_name="assumed replies"),
        ),
    ]
