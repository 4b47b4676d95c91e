"""Events and payloads by month: old months leave by dropping a table, not by deleting rows."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("customers", "0001_initial"),)

    operations = (
        migrations.RunSQL(
            """
            CREATE SEQUENCE customers_event_id_seq AS bigint CACHE 1;
            CREATE TABLE customers_event (
                id bigint NOT NULL,
                received_at timestamptz NOT NULL,
                occurred_at timestamptz NOT NULL,
                brand_id uuid NOT NULL,
                source_id uuid NOT NULL,
                profile_id uuid NOT NULL,
                kind varchar(8) NOT NULL,
                name varchar(120) NOT NULL,
                message_id varchar(100) NOT NULL,
                schema_version_id bigint,
                historical boolean NOT NULL DEFAULT false,
                cause_id bigint,
                hops smallint NOT NULL DEFAULT 0,
                PRIMARY KEY (id, received_at)
            ) PARTITION BY RANGE (received_at);
            CREATE TABLE customers_event_default PARTITION OF customers_event DEFAULT;
            CREATE INDEX event_by_profile ON customers_event (profile_id, occurred_at);
            CREATE INDEX event_by_name ON customers_event (name, occurred_at) INCLUDE (profile_id);
            CREATE TABLE customers_eventpayload (
                event_id bigint NOT NULL,
                received_at timestamptz NOT NULL,
                payload jsonb NOT NULL,
                PRIMARY KEY (event_id, received_at)
            ) PARTITION BY RANGE (received_at);
            CREATE TABLE customers_eventpayload_default PARTITION OF customers_eventpayload DEFAULT;
            """,
            """
            DROP TABLE customers_eventpayload;
            DROP TABLE customers_event;
            DROP SEQUENCE customers_event_id_seq;
            """,
        ),
    )
