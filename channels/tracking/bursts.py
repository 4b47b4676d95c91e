"""Machines in the guise of a browser: whoever follows two links of a letter in the same second is no person, and nobody
opened the letter whose picture was fetched beside."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Cursor

from channels.tracking.visitors import BURST

# Told once all of a burst are there, as what is tracked is looked at a moment after it came.
_TELL: Final = """
    UPDATE channels_receipt r SET is_machine = true, code = %s
    WHERE r.id = ANY(%s) AND NOT r.is_machine AND (
        r.link IS NOT NULL AND EXISTS (
            SELECT FROM channels_receipt o
            WHERE o.message_key = r.message_key AND o.link IS NOT NULL AND o.link <> r.link
              AND o.at BETWEEN r.at - interval '1 second' AND r.at + interval '1 second'
        )
        OR r.happened = 'opened' AND EXISTS (
            SELECT FROM channels_receipt o
            JOIN channels_receipt p ON p.message_key = o.message_key AND p.link IS NOT NULL AND p.link <> o.link
                 AND p.at BETWEEN o.at - interval '1 second' AND o.at + interval '1 second'
            WHERE o.message_key = r.message_key AND o.link IS NOT NULL
              AND o.at BETWEEN r.at - interval '1 second' AND r.at + interval '1 second'
        )
    )
    RETURNING r.id
"""


def tell_apart(cursor: Cursor[Any], receipts: Sequence[int]) -> frozenset[int]:
    """Which of these, that seemed to be of a person, are of a machine; from here on they are down as such."""
    if not receipts:
        return frozenset()
    return frozenset(row[0] for row in cursor.execute(_TELL, [BURST, list(receipts)]))
