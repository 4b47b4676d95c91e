"""Segments are counted every ten minutes: the size that lists show, and the last of a day stays."""

from django.db import migrations

NAME = "Count segments"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=600, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "customers.count_segments",
            "queue": "slow",
            "interval": every or interval.objects.create(every=600, period="seconds"),
            "expire_seconds": 600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = (("config", "0004_count_maps"),)

    operations = (migrations.RunPython(seed, remove),)
