"""Each second beat has other systems told what they asked to be told; roles see what was told."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

NAME = "Deliver webhooks that are due"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=1, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "channels.deliver_webhooks",
            "queue": "calls",
            "interval": every or interval.objects.create(every=1, period="seconds"),
            "expire_seconds": 2,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


def let_roles_look(apps, schema_editor):
    create_permissions(installed.get_app_config("channels"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0003_roles_of_callbacks"), ("channels", "0003_outgoing_webhooks"))

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_look, migrations.RunPython.noop),
    )
