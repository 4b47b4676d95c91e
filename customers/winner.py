"""Of all that a customer's profiles were said to be, which value counts: the rule in SQL, for now and for any moment.

By default the latest word wins, at one instant the later event. Both conditions read `t`, a row of customers_trait,
and `d`, the definition of its trait or nothing; a value that is not of its trait's type never wins.
"""

from typing import Final

FITS: Final = """(coalesce(d.type, '') = '' OR t.value IS NULL OR jsonb_typeof(t.value) = 'null' OR CASE d.type
    WHEN 'text' THEN jsonb_typeof(t.value) = 'string'
    WHEN 'number' THEN jsonb_typeof(t.value) = 'number'
    WHEN 'flag' THEN jsonb_typeof(t.value) = 'boolean'
    WHEN 'list' THEN jsonb_typeof(t.value) = 'array'
    WHEN 'document' THEN jsonb_typeof(t.value) = 'object'
    ELSE jsonb_typeof(t.value) = 'string'
        AND t.value::text ~ '^"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-9:.]+(Z|[+-][0-9:]+)?)?"$' END)"""
ORDER: Final = """CASE d.winner WHEN 'trusted' THEN array_position(d.trusted, t.source_id) END,
    CASE d.winner WHEN 'first' THEN t.valid_from END, CASE d.winner WHEN 'first' THEN t.event_id END,
    t.valid_from DESC, t.event_id DESC"""
