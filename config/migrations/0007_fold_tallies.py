"""What sources send is counted beside the work and folded every minute."""

from django.db import migrations

NAME = "Fold the tallies of sources"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=60, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "customers.fold_tallies",
            "queue": "slow",
            "interval": every or interval.objects.create(every=60, period="seconds"),
            "expire_seconds": 60,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = (("config", "0006_imports"),)

    operations = (migrations.RunPython(seed, remove),)
