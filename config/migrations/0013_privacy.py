"""Files of what is held of somebody go when their time is over; roles see to what people ask by law."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

NAME = "Remove privacy files"


def seed(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    every = interval.objects.filter(every=3_600, period="seconds").first()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "consent.remove_privacy_files",
            "queue": "slow",
            "interval": every or interval.objects.create(every=3_600, period="seconds"),
            "expire_seconds": 3_600,
        },
    )


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


def let_roles_see_to_it(apps, schema_editor):
    for label in roles.SEEN_BY_AUDITORS:
        create_permissions(installed.get_app_config(label), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (
        ("config", "0012_tell_expiring"),
        ("consent", "0007_privacy_requests"),
        ("customers", "0031_erased_addresses"),
    )

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_see_to_it, migrations.RunPython.noop),
    )
