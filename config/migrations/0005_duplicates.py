"""Duplicates are looked for every night, and the roles learn who decides about them and who merges customers."""

from importlib import import_module

from django.db import migrations

NAME = "Look for duplicates"
_ROLES = import_module("config.migrations.0003_staff_roles")


def seed(apps, schema_editor):
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule")
    nightly, _made = crontabs.objects.get_or_create(
        minute="20", hour="3", day_of_week="*", day_of_month="*", month_of_year="*", timezone="UTC"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={
            "task": "customers.look_for_duplicates",
            "queue": "slow",
            "crontab": nightly,
            "expire_seconds": 3600,
        },
    )
    _ROLES.seed(apps, schema_editor)


def remove(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = (
        ("config", "0004_count_maps"),
        ("customers", "0015_duplicates"),
    )

    operations = (migrations.RunPython(seed, remove),)
