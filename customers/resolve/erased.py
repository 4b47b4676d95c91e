"""What a batch still tells of people who were erased since."""

from typing import Any

from psycopg import Cursor

from customers import erased
from customers.resolve.incoming import Batch


def drop(cursor: Cursor[Any], batch: Batch) -> None:
    """Take out of the batch what names an erased person and occurred by then; it is counted and nothing else."""
    if not erased.any_known(cursor):
        return
    times = erased.times(cursor, {one for message in batch.messages for one in (*message.named, *message.former)})
    if not times:
        return
    kept, dropped = [], []
    for message in batch.messages:
        hit = [one for one in (*message.named, *message.former) if one in times and message.at <= times[one]]
        dropped += hit
        if not hit:
            kept.append(message)
    batch.messages = kept
    erased.count(cursor, dropped)
