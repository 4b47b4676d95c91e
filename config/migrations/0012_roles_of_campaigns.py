"""Who plans campaigns."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def let_roles_plan(apps, schema_editor):
    create_permissions(installed.get_app_config("channels"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0011_roles_of_tasks"), ("channels", "0021_campaigns"))

    operations = (migrations.RunPython(let_roles_plan, migrations.RunPython.noop),)
