"""The people who go through the journey, known and consenting: a number each, from which all keys follow."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from bench.database import empty
from bench.journey import T0

# Keys in the order of their number, as uuid7 keys come in the order of time.
KEY = "('00000000-0000-700{kind}-8000-' || lpad(to_hex({n}), 12, '0'))::uuid"


def key(kind: int, n: str = "n") -> str:
    """SQL for a key of person `n`: 0 the customer and the user's profile, 1 the e-mail's profile, 2 the address."""
    return KEY.format(kind=kind, n=n)


_CUSTOMER, _EMAIL_PROFILE, _ADDRESS = key(0), key(1), key(2)
_NUMBERS = "FROM generate_series(1, %(people)s) n"
_PEOPLE = (
    f"""
    INSERT INTO customers_customer (id, created_at, traits, zone, locale)
    SELECT {_CUSTOMER}, %(now)s, jsonb_build_object(
        'email', 'person' || n || '@example.com', 'name', 'Person Number ' || n, 'country', 'BR', 'city', 'Recife',
        'plan', CASE n %% 3 WHEN 0 THEN 'pro' ELSE 'free' END, 'seats', n %% 20, 'timezone', 'America/Recife',
        'locale', 'pt-BR', 'phone', '+5581' || 90000000 + n, 'blocked', false), 'America/Recife', 'pt-BR'
    {_NUMBERS}
    """,
    f"""
    INSERT INTO customers_profile (id, customer_id, customer_since, created_at)
    SELECT {_CUSTOMER}, {_CUSTOMER}, %(now)s, %(now)s {_NUMBERS}
    UNION ALL SELECT {_EMAIL_PROFILE}, {_CUSTOMER}, %(now)s, %(now)s {_NUMBERS}
    """,
    f"""
    INSERT INTO customers_identifier (namespace, kind_id, value, original, profile_id, opened_at)
    SELECT s.namespace, 'user_id', 'u' || n, 'u' || n, {_CUSTOMER}, %(now)s {_NUMBERS}, customers_source s
    UNION ALL
    SELECT '00000000-0000-0000-0000-000000000000', 'email', 'person' || n || '@example.com',
        'person' || n || '@example.com', {_EMAIL_PROFILE}, %(now)s {_NUMBERS}
    """,
    f"""
    INSERT INTO customers_address (id, channel, value, original, created_at)
    SELECT {_ADDRESS}, 'email', 'person' || n || '@example.com', 'person' || n || '@example.com', %(now)s {_NUMBERS}
    """,
    f"""
    INSERT INTO customers_addressprofile (profile_id, address_id, first_seen_at, last_seen_at)
    SELECT {_EMAIL_PROFILE}, {_ADDRESS}, %(now)s, %(now)s {_NUMBERS}
    """,
    f"""
    INSERT INTO consent_consenthead
        (address_id, profile_id, purpose_id, entry_id, state, method, effective_at, proven_at)
    SELECT {_ADDRESS}, {_CUSTOMER}, p.id, n, 'given', 'event', %(now)s, NULL {_NUMBERS}, consent_purpose p
    """,
)

# Emptying customers and addresses empties all that refers to them.
_TABLES = ("customers_customer", "customers_identifier", "customers_address", "consent_consenthead")


def make_people(connection: "Connection[Any]", people: int) -> None:
    """Make them anew, whoever was known before."""
    values: Mapping[str, Any] = {"people": people, "now": T0}
    empty(connection, *_TABLES)
    for statement in _PEOPLE:
        connection.execute(statement.encode(), values)
    connection.execute("ANALYZE")
