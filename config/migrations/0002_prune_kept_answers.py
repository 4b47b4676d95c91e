"""Answers kept for the partner API are forgotten after a week."""

from django.db import migrations

NAME = "Forget kept answers"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=3600, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "customers.prune_kept_answers",
            "queue": "slow",
            "interval": every or interval.objects.create(every=3600, period="seconds"),
            "expire_seconds": 3600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = (("config", "0001_beat_schedule"),)

    operations = (migrations.RunPython(seed, remove),)
