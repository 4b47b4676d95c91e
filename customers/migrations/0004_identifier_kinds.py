"""The identifier kinds every installation begins with."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# key, name, rank, one per person, organisation-wide
KINDS = (
    ("user_id", "User id", 10, True, False),
    ("email", "E-mail", 40, False, True),
    ("anonymous_id", "Anonymous id", 90, False, False),
)


def seed(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    kinds = apps.get_model("customers", "IdentifierKind")
    for key, name, rank, one_per_person, organisation_wide in KINDS:
        kinds.objects.get_or_create(
            key=key,
            defaults={
                "name": name,
                "rank": rank,
                "one_per_person": one_per_person,
                "organisation_wide": organisation_wide,
            },
        )


class Migration(migrations.Migration):
    dependencies = (("customers", "0003_append_only"),)

    operations = (migrations.RunPython(seed, migrations.RunPython.noop),)
