"""What is kept no longer is taken away once a day, by a job."""

from django.db import migrations

NAME = "Take away what is kept no longer"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=86_400, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "customers.retain",
            "queue": "slow",
            "interval": every or interval.objects.create(every=86_400, period="seconds"),
            "expire_seconds": 3_600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = (("config", "0007_fold_tallies"),)

    operations = (migrations.RunPython(seed, remove),)
