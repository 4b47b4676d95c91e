"""Each second beat has broadcasts brought on; roles see, write and start them."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

NAME = "Bring broadcasts on"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=1, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "channels.run_broadcasts",
            "queue": "dispatch",
            "interval": every or interval.objects.create(every=1, period="seconds"),
            "expire_seconds": 2,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


def let_roles_send(apps, schema_editor):
    create_permissions(installed.get_app_config("channels"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0016_roles_of_images"), ("channels", "0027_broadcasts"))

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_send, migrations.RunPython.noop),
    )
