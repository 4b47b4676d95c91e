"""Who looks at the browsers that take pushes."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def let_roles_look(apps, schema_editor):
    create_permissions(installed.get_app_config("channels"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (
        ("config", "0008_roles_of_screens"),
        ("channels", "0012_browsers_that_take_pushes"),
    )

    operations = (migrations.RunPython(let_roles_look, migrations.RunPython.noop),)
