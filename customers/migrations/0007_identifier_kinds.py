"""The identifier kinds every installation has, with their schemes and limits."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# key, name, scheme, rank, most per customer, most people, organisation-wide, typed by people
KINDS = (
    ("user_id", "User id", "opaque", 10, 1, None, False, False),
    ("crm_id", "CRM id", "opaque", 20, 1, 20, False, False),
    ("cpf", "CPF", "cpf", 30, 1, 20, True, True),
    ("cnpj", "CNPJ", "cnpj", 34, 5, 50, True, True),
    ("abn", "ABN", "abn", 35, 5, 50, True, True),
    ("loyalty_card", "Loyalty card", "opaque", 38, 10, 20, False, False),
    ("email", "E-mail", "email", 40, 20, 20, True, True),
    ("phone", "Phone", "phone", 50, 20, 20, True, True),
    ("device", "Device", "opaque", 80, 100, 20, False, False),
    ("anonymous_id", "Anonymous id", "opaque", 90, 1000, 50, False, False),
)


def seed(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    kinds = apps.get_model("customers", "IdentifierKind")
    kinds.objects.bulk_create(
        kinds(
            key=key,
            name=name,
            scheme=scheme,
            rank=rank,
            most_per_customer=most,
            most_people=people,
            organisation_wide=organisation_wide,
            is_typed=typed,
            is_seeded=True,
        )
        for key, name, scheme, rank, most, people, organisation_wide, typed in KINDS
    )


class Migration(migrations.Migration):
    dependencies = (("customers", "0006_partitions_and_triggers"),)

    operations = (migrations.RunPython(seed, migrations.RunPython.noop),)
