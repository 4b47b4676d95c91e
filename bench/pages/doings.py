"""What the crowd did and what came of it: events in the order of time, runs, messages, refusals."""

from bench.pages.persons import ADDRESS, CUSTOMER
from bench.people import key

# Everybody a few times, scattered; one person without end, as there always is one.
_PERSON = "CASE WHEN i %% 1000 = 0 THEN 1 ELSE i::bigint * 7919 %% %(people)s + 1 END"
_AT = "%(begin)s::timestamptz + %(span)s::interval * (i::float8 / {all})"
_NAMES = "(ARRAY['product.viewed', 'cart.created', 'order.completed', 'app.opened', 'payment.completed'])[i %% 5 + 1]"
_RUN = """
    generate_series(1, %(runs)s) i CROSS JOIN LATERAL (SELECT i::bigint * 104729 %% %(people)s + 1 AS n) p
    JOIN way w ON w.b = p.n %% %(brands)s AND w.j = i %% 3
"""
_ENTERED = _AT.format(all="%(runs)s")
_LIVE = "i > %(runs)s - %(live)s"
_WAITED = "interval '30 minutes'"
# Runs and events are numbered beyond those told for real.
_FIRST = "1000000"
_ASKED = _AT.format(all="%(messages)s")
_STATE = """
    CASE WHEN i %% 10 < 7 THEN 'sent' WHEN i %% 10 < 9 THEN 'suppressed' WHEN i %% 100 = 99 THEN 'failed'
         WHEN i %% 10000 = 9 THEN 'unknown' ELSE 'cancelled' END
"""
_REASON = """
    CASE WHEN i %% 10 < 7 THEN '' WHEN i %% 10 < 9 THEN 'no_consent' WHEN i %% 100 = 99 THEN 'missing_field'
         WHEN i %% 10000 = 9 THEN 'interrupted' ELSE 'acted' END
"""

STATEMENTS = (
    (
        "events",
        f"""
        WITH event AS (
            INSERT INTO customers_event (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name,
                message_id)
            SELECT {_FIRST}0 + i, {_AT.format(all="%(events)s")} + interval '1 second',
                {_AT.format(all="%(events)s")}, h.brand_id, h.source_id, {CUSTOMER}, 'track', {_NAMES}, 'crowd-e' || i
            FROM generate_series(1, %(events)s) i CROSS JOIN LATERAL (SELECT {_PERSON} AS n) p JOIN house h
                ON h.b = p.n %% %(brands)s
            ORDER BY i
            RETURNING id, received_at
        )
        INSERT INTO customers_eventpayload (event_id, received_at, payload)
        SELECT id, received_at, '{{"properties": {{"total": 4290, "currency": "BRL", "sku": "IPE-MOG-250"}}}}'
        FROM event
        """,
    ),
    ("ids of events", "SELECT setval('customers_event_id_seq', (SELECT max(id) FROM customers_event))"),
    (
        "runs",
        f"""
        INSERT INTO journeys_run (id, entry_key, status, step, state, seq, entered_at, stepped_at, due_at, ended_at,
            customer_id, journey_id, profile_id, version_id)
        SELECT {_FIRST} + i, 'crowd-' || i, CASE WHEN {_LIVE} THEN 1 WHEN i %% 9 = 0 THEN 3 ELSE 2 END, w.step,
            w.state, 3, {_ENTERED}, {_ENTERED}, CASE WHEN {_LIVE} THEN %(now)s + interval '1 day' * (1 + i %% 9) END,
            CASE WHEN NOT {_LIVE} THEN {_ENTERED} + {_WAITED} END, {CUSTOMER}, w.journey_id, {CUSTOMER}, w.version_id
        FROM {_RUN}
        """,
    ),
    (
        "transitions",
        f"""
        INSERT INTO journeys_transition (run_id, seq, at, step_from, step_to, state_to, cause, branch)
        SELECT {_FIRST} + i, s.seq, {_ENTERED} + {_WAITED} * (s.seq - 1) / 2, nullif(s.seq - 2, -1), s.seq - 1, w.state,
            (ARRAY[1, 2, 5])[s.seq], NULL
        FROM {_RUN}, generate_series(1, 3) AS s(seq)
        """,
    ),
    (
        "contexts of runs",
        f"""
        INSERT INTO journeys_runcontext (run_id, occurred_at, message_id, variables)
        SELECT {_FIRST} + i, {_ENTERED}, 'crowd-e' || i, '{{"cart_id": "C1", "total": 4290}}' FROM {_RUN}
        """,
    ),
    (
        "messages",
        f"""
        INSERT INTO channels_message (id, origin_kind, origin_id, visit, copy_key, scope_id, channel, state, reason,
            detail, created_at, due_at, expires_at, attempts, crashes, settled_at, provider_id, address_id, brand_id,
            connector_id, profile_id, purpose_id, template_version_id)
        SELECT {key(4, "i")}, 'run', ({_FIRST} + i %% %(runs)s + 1)::text, i,
            w.journey_id || ':' || w.message_step || ':', w.journey_id, w.channel, {_STATE}, {_REASON}, '',
            {_ASKED}, {_ASKED}, {_ASKED} + interval '1 day', 1, 0,
            {_ASKED}, '', {ADDRESS}, h.brand_id, w.connector_id, {CUSTOMER}, h.purpose_id, w.template_version_id
        FROM generate_series(1, %(messages)s) i CROSS JOIN LATERAL (SELECT {_PERSON} AS n) p
            JOIN house h ON h.b = p.n %% %(brands)s JOIN way w ON w.b = h.b AND w.j = i %% 3
        ORDER BY i
        """,
    ),
    (
        "words of messages",
        f"""
        INSERT INTO channels_messagecontent (message_id, context, subject, body)
        SELECT {key(4, "i")}, '{{"cart_id": "C1"}}', 'Still thinking?', 'Your coffee is waiting in your cart.'
        FROM generate_series(1, %(messages)s) i
        """,
    ),
    (
        "refused entries",
        f"""
        INSERT INTO journeys_entryrefusal (journey_id, version_id, profile_id, entry_key, reason, at)
        SELECT w.journey_id, w.version_id, {CUSTOMER}, '',
            (ARRAY['no_consent', 'no_address', 'already_live'])[i %% 3 + 1], {_ENTERED}
        FROM {_RUN}
        ORDER BY i
        """,
    ),
    (
        "quarantine",
        """
        INSERT INTO customers_quarantinedevent (received_at, door, code, pointer, detail, message_id, name, raw, status,
            source_id)
        SELECT %(begin)s::timestamptz + %(span)s::interval * (i::float8 / (%(people)s / 20)), 'segment',
            (ARRAY['schema_violation', 'unplanned_event', 'invalid_email'])[i %% 3 + 1], '/properties/total',
            'Not an integer.', 'crowd-q' || i, 'order.completed', '{"type": "track", "event": "order.completed"}',
            CASE WHEN i %% 4 = 0 THEN 'replayed' ELSE 'open' END, h.source_id
        FROM generate_series(1, %(people)s / 20) i JOIN house h ON h.b = i %% %(brands)s
        """,
    ),
)
