"""Migrations follow the layers, can all be taken back, and make models together that refer to each other."""

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from customers.sql import CreateModels

# As the import contract has it, from below.
LAYERS = ("customers", "consent", "channels", "journeys", "analytics", "config")


def ours() -> list[migrations.Migration]:
    return [one for one in MigrationLoader(None).disk_migrations.values() if one.app_label in LAYERS]


def test_no_migration_depends_on_a_layer_above_its_own() -> None:
    for one in ours():
        needed = {app for app, _name in one.dependencies} & set(LAYERS)
        assert needed <= set(LAYERS[: LAYERS.index(one.app_label) + 1]), one


def test_every_migration_can_be_taken_back() -> None:
    assert {one.app_label for one in ours()} == set(LAYERS)
    for one in ours():
        assert all(operation.reversible for operation in one.operations), one


def model(name: str, refers_to: str) -> migrations.CreateModel:
    other: models.Field[Any, Any] = models.ForeignKey(f"customers.{refers_to}", models.PROTECT, null=True)
    return migrations.CreateModel(name, [("id", models.BigAutoField(primary_key=True)), ("other", other)])


@pytest.mark.django_db(transaction=True)
def test_models_made_together_may_refer_to_each_other() -> None:
    both = CreateModels(model("Hen", "egg"), model("Egg", "hen"))
    before, after = ProjectState(), ProjectState()
    assert not after.apps.get_models()  # rendered, as it is while migrations are applied
    assert not after.apps.get_models()  # rendered, as it is while migrations are applied
    both.state_forwards("customers", after)

    with connection.schema_editor() as editor:
        both.database_forwards("customers", editor, before, after)
    with connection.cursor() as cursor:
        tables = {"customers_hen", "customers_egg"}
        assert tables <= set(connection.introspection.table_names(cursor))
        assert "customers_egg" in str(connection.introspection.get_relations(cursor, "customers_hen"))
        assert "customers_hen" in str(connection.introspection.get_relations(cursor, "customers_egg"))

    with connection.schema_editor() as editor:
        both.database_backwards("customers", editor, after, before)
    with connection.cursor() as cursor:
        assert not tables & set(connection.introspection.table_names(cursor))
