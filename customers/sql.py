"""What several migrations share: tables made together, append-only tables and monthly partitions."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection, migrations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateModels(Operation):
    """Several models at once: for each alone Django renders anew all it is related to, which takes most of the time."""

    def __init__(self, *models: migrations.CreateModel) -> None:
        self.models = models

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)
        for model in self.models:
            model.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for model in self.models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for model in reversed(self.models):
            model.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Create models {', '.join(model.name for model in self.models)}"


REFUSE_FUNCTION = """
CREATE FUNCTION trilha_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
"""


def append_only(table: str) -> migrations.RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE on `table`, whoever asks."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION trilha_append_only();
        CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION trilha_append_only();
        """,
        f"""
        DROP TRIGGER append_only_rows ON {table};
        DROP TRIGGER append_only_table ON {table};
        """,
    )


PARTITIONED = ("customers_event", "customers_eventpayload")


def ensure_partitions(now: datetime, ahead: int = 3) -> list[str]:
    """Make the monthly partitions from last month to `ahead` months after `now`; return the new ones' names.

    A month whose rows already lie in the default partition stays there: attaching would have to move them.
    """
    made = []
    month = _shift(datetime(now.year, now.month, 1, tzinfo=UTC), -1)
    for _step in range(ahead + 2):
        following = _shift(month, 1)
        made += [name for table in PARTITIONED if (name := _ensure(table, month, following))]
        month = following
    return made


def _shift(month: datetime, by: int) -> datetime:
    index = month.year * 12 + month.month - 1 + by
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def _ensure(table: str, start: datetime, end: datetime) -> str:
    name = f"{table}_{start:%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NOT NULL"
            f" OR EXISTS (SELECT 1 FROM {table}_default WHERE received_at >= %s AND received_at < %s)",
            [name, start, end],
        )
        if cursor.fetchone()[0]:
            return ""
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table}"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
    return name
