"""Who looks at inbox items and at slots, and who writes for slots; nobody deletes what pages may name."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def let_roles_look(apps, schema_editor):
    for app in ("channels", "customers"):
        create_permissions(installed.get_app_config(app), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (
        ("config", "0007_roles_of_reconciling"),
        ("channels", "0010_on_screen"),
        ("customers", "0011_visitor_secrets"),
    )

    operations = (migrations.RunPython(let_roles_look, migrations.RunPython.noop),)
