"""Roles see, write and start what has come with content and screens; beat brings broadcasts on and counts and asks."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles

# (name, task, queue, every so many seconds, bells older than this are void)
ENTRIES = (
    ("Count what is viewed together", "channels.count_views", "slow", 3600, 3600),
    ("Bring broadcasts on", "channels.run_broadcasts", "dispatch", 1, 2),
    ("Ask which templates are approved", "channels.list_templates", "slow", 3600, 3600),
)


def seed(apps, schema_editor):
    """What an entry of the name already says stays."""
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule")
    entries = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for name, task, queue, seconds, expires in ENTRIES:
        every = intervals.objects.filter(every=seconds, period="seconds").first()
        every = every or intervals.objects.create(every=seconds, period="seconds")
        told = {"task": task, "queue": queue, "interval": every, "expire_seconds": expires}
        entries.get_or_create(name=name, defaults=told)


def remove(apps, schema_editor):
    names = [name for name, *_rest in ENTRIES]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names).delete()


def let_roles_do_so(apps, schema_editor):
    for app in ("channels", "customers"):
        create_permissions(installed.get_app_config(app), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (
        ("config", "0007_roles_of_reconciling"),
        ("channels", "0009_content_and_screens"),
        ("customers", "0011_products_and_visitors"),
    )

    operations = (
        migrations.RunPython(seed, remove),
        migrations.RunPython(let_roles_do_so, migrations.RunPython.noop),
    )
