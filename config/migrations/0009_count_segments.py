"""Segments are counted every ten minutes: the size that lists show, and the last of a day stays. Roles look at them."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

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


def let_roles_look(apps, schema_editor):
    create_permissions(installed.get_app_config("customers"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0008_retain"), ("customers", "0023_segments"))

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_look, migrations.RunPython.noop),
    )
