"""Installations that had their roles before: let them see and do what sensing in full has brought."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def seed(apps, schema_editor):
    for label in roles.SEEN_BY_AUDITORS:
        create_permissions(installed.get_app_config(label), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0009_count_segments"), ("customers", "0023_segments"))

    operations = (migrations.RunPython(seed, migrations.RunPython.noop),)
