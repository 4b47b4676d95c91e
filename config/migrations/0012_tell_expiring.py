"""Every ten minutes beat has consents told of that are about to expire, for journeys that ask again; roles see choices."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

NAME = "Tell of consents that expire"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=600, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "consent.tell_expiring",
            "queue": "slow",
            "interval": every or interval.objects.create(every=600, period="seconds"),
            "expire_seconds": 600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


def let_roles_look(apps, schema_editor):
    create_permissions(installed.get_app_config("consent"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0011_anchor_ledgers"), ("consent", "0006_notices_and_expiry"))

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_look, migrations.RunPython.noop),
    )
