"""Every promise that the lab can put to the test."""

from typing import Final

from tests.promises import batches, duplicates, durable, overload, people, publishing, retries
from tests.promises.plan import Promise

PROMISES: Final[tuple[Promise, ...]] = (
    durable.PROMISE,
    retries.PROMISE,
    duplicates.PROMISE,
    batches.PROMISE,
    overload.PROMISE,
    people.PROMISE,
    publishing.PROMISE,
)
