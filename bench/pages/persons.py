"""Persons by number: identity, addresses and consent, for both brands in turn."""

from bench.people import key

CUSTOMER, MAIL_PROFILE, ADDRESS, DEVICE = (key(kind) for kind in range(4))
# Numbers the told history has none of.
_NUMBERS = "generate_series(1, %(people)s) n JOIN house h ON h.b = n %% %(brands)s"
_JOINED = "%(begin)s::timestamptz + %(span)s::interval * (n::float8 / %(people)s)"
_EMAIL = "'crowd' || n || '@people.example.com'"

STATEMENTS = (
    (
        "customers",
        f"""
        INSERT INTO customers_customer (id, created_at, traits, zone, locale)
        SELECT {CUSTOMER}, {_JOINED}, jsonb_build_object('email', {_EMAIL}, 'first_name', 'Person', 'last_name',
            'Number ' || n, 'country', h.country, 'timezone', h.zone, 'locale', h.locale, 'tier',
            (ARRAY['green', 'roasted', 'dark'])[n %% 3 + 1]), h.zone, h.locale FROM {_NUMBERS}
        """,
    ),
    (
        "profiles",
        f"""
        INSERT INTO customers_profile (id, customer_id, customer_since, created_at)
        SELECT {CUSTOMER}, {CUSTOMER}, {_JOINED}, {_JOINED} FROM {_NUMBERS}
        UNION ALL SELECT {MAIL_PROFILE}, {CUSTOMER}, {_JOINED}, {_JOINED} FROM {_NUMBERS}
        """,
    ),
    (
        "identifiers",
        f"""
        INSERT INTO customers_identifier (namespace, kind_id, value, original, profile_id, opened_at)
        SELECT h.namespace, 'user_id', 'crowd-' || n, 'crowd-' || n, {CUSTOMER}, {_JOINED} FROM {_NUMBERS}
        UNION ALL SELECT '00000000-0000-0000-0000-000000000000', 'email', {_EMAIL}, {_EMAIL}, {MAIL_PROFILE}, {_JOINED}
        FROM {_NUMBERS}
        """,
    ),
    (
        "edges",
        f"""
        INSERT INTO customers_edge (kind, assurance, occurred_at, source_id, message_id, skipped, recorded_at, low_id,
            high_id)
        SELECT 'join', 2, {_JOINED}, h.source_id, 'crowd-' || n, false, {_JOINED}, {CUSTOMER}, {MAIL_PROFILE}
        FROM {_NUMBERS}
        """,
    ),
    (
        "brands of profiles",
        f"""
        INSERT INTO customers_profilebrand (first_seen_at, brand_id, profile_id)
        SELECT {_JOINED}, h.brand_id, {CUSTOMER} FROM {_NUMBERS}
        UNION ALL SELECT {_JOINED}, h.brand_id, {MAIL_PROFILE} FROM {_NUMBERS}
        """,
    ),
    (
        "sources of profiles",
        f"""
        INSERT INTO customers_profilesource (first_seen_at, source_id, profile_id)
        SELECT {_JOINED}, h.source_id, {CUSTOMER} FROM {_NUMBERS}
        """,
    ),
    (
        "traits",
        f"""
        INSERT INTO customers_trait (name, value, valid_from, recorded_at, event_id, profile_id)
        SELECT t.name, to_jsonb(t.value), {_JOINED}, {_JOINED}, 0, {CUSTOMER} FROM {_NUMBERS},
        LATERAL (VALUES ('first_name', 'Person'), ('last_name', 'Number ' || n)) AS t(name, value)
        """,
    ),
    (
        "addresses",
        f"""
        INSERT INTO customers_address (id, channel, value, original, created_at)
        SELECT {ADDRESS}, 'email', {_EMAIL}, {_EMAIL}, {_JOINED} FROM {_NUMBERS}
        UNION ALL SELECT {DEVICE}, 'push', 'crowd-device-' || n, 'crowd-device-' || n, {_JOINED} FROM {_NUMBERS}
        WHERE n %% 2 = 0
        """,
    ),
    (
        "addresses of profiles",
        f"""
        INSERT INTO customers_addressprofile (first_seen_at, last_seen_at, address_id, profile_id)
        SELECT {_JOINED}, {_JOINED}, {ADDRESS}, {CUSTOMER} FROM {_NUMBERS}
        UNION ALL SELECT {_JOINED}, {_JOINED}, {DEVICE}, {CUSTOMER} FROM {_NUMBERS} WHERE n %% 2 = 0
        """,
    ),
    (
        "consent",
        f"""
        WITH entry AS (
            INSERT INTO consent_consententry (state, effective_at, occurred_at, recorded_at, method, message_id,
                language, legal_basis, jurisdiction, collector, withdrawal_path, position, previous, commitment,
                digest, address_id, brand_id, profile_id, source_id, notice_version_id, purpose_id)
            SELECT CASE WHEN n %% 20 = 0 THEN 'withdrawn' ELSE 'given' END, {_JOINED}, {_JOINED}, {_JOINED}, 'event',
                'crowd-' || n, 'en', '', h.country, 'shop', '', 1, sha256('0'), sha256('1'), sha256('2'), {ADDRESS},
                h.brand_id, {CUSTOMER}, h.source_id, h.notice_version_id, h.purpose_id
            FROM {_NUMBERS} WHERE n %% 4 <> 0
            RETURNING id, state, effective_at, address_id, profile_id, purpose_id
        ), chain AS (
            INSERT INTO consent_consentchain (address_id, length, digest)
            SELECT address_id, 1, sha256('2') FROM entry
        ), evidence AS (
            INSERT INTO consent_consentevidence (entry_id, salt, fields)
            SELECT id, '\\x00', '{{"ip": "203.0.113.9"}}' FROM entry
        )
        INSERT INTO consent_consenthead (entry_id, state, method, effective_at, address_id, profile_id, purpose_id)
        SELECT id, state, 'event', effective_at, address_id, profile_id, purpose_id FROM entry
        """,
    ),
)
