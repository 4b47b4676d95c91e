"""Imports: who may begin one, files that are done with go every hour, and jobs that rest are gone on with."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

# (name, task, every so many seconds, bells older than this are void)
ENTRIES = (
    ("Remove imported files", "customers.prune_imports", 3600, 3600),
    ("Go on with long work", "customers.work_on_jobs", 5, 5),
)


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    for name, task, seconds, expires in ENTRIES:
        every = interval.objects.filter(every=seconds, period="seconds").first()
        apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
            name=name,
            defaults={
                "task": task,
                "queue": "slow",
                "interval": every or interval.objects.create(every=seconds, period="seconds"),
                "expire_seconds": expires,
            },
        )
    create_permissions(installed.get_app_config("customers"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


def remove(apps, schema_editor):
    names = [entry[0] for entry in ENTRIES]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = (("config", "0005_duplicates"), ("customers", "0016_imports"))

    operations = (migrations.RunPython(seed, remove),)
