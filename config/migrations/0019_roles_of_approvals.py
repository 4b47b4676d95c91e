"""Who sees how templates stand; each hour beat has it asked."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

NAME = "Ask which templates are approved"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=3600, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "channels.list_templates",
            "queue": "slow",
            "interval": every or interval.objects.create(every=3600, period="seconds"),
            "expire_seconds": 3600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


def let_roles_do_so(apps, schema_editor):
    create_permissions(installed.get_app_config("channels"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0018_roles_of_pulled"), ("channels", "0029_approvals"))

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_do_so, migrations.RunPython.noop),
    )
