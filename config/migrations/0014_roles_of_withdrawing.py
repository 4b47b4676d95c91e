"""Agents withdraw and pause for people who ask them to."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from config import roles


def let_agents_withdraw(apps, schema_editor):
    create_permissions(installed.get_app_config("consent"), verbosity=0)
    roles.seed(apps.get_model("auth", "Permission"), apps.get_model("auth", "Group"))


class Migration(migrations.Migration):
    dependencies = (("config", "0013_privacy"), ("consent", "0008_withdraw_for_people"))

    operations = (migrations.RunPython(let_agents_withdraw, migrations.RunPython.noop),)
