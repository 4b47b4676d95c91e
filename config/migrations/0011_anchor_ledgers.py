"""Once an hour what the ledgers hold is told outside the database. Auditors see when."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

NAME = "Anchor the ledgers"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=3_600, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "consent.anchor_ledgers",
            "queue": "slow",
            "interval": every or interval.objects.create(every=3_600, period="seconds"),
            "expire_seconds": 3_600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


def let_roles_look(apps, schema_editor):
    create_permissions(installed.get_app_config("consent"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0010_roles_of_sensing"), ("consent", "0005_ledger_anchor"))

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_look, migrations.RunPython.noop),
    )
