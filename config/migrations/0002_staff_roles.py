"""The roles of the staff, seeded once; from then on they belong to whoever runs the installation."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def seed(apps, schema_editor):
    # Django makes permissions when all migrations are done, and roles are made of permissions.
    for label in roles.SEEN_BY_AUDITORS:
        create_permissions(installed.get_app_config(label), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


def remove(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=roles.ROLES).delete()


class Migration(migrations.Migration):
    dependencies = (
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("analytics", "0001_initial"),
        ("config", "0001_beat_schedule"),
    )

    operations = (migrations.RunPython(seed, remove),)
