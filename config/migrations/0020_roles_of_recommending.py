"""Who may switch recommendations off, and look at seeds."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def let_roles_do_so(apps, schema_editor):
    create_permissions(installed.get_app_config("channels"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0019_roles_of_approvals"), ("channels", "0029_approvals"))

    operations = (migrations.RunPython(let_roles_do_so, migrations.RunPython.noop),)
