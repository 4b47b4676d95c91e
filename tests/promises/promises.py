"""Every promise that the lab can put to the test."""

from typing import Final

from tests.promises import (
    batches,
    duplicates,
    durable,
    opting_out,
    overload,
    people,
    publishing,
    retries,
    suppressing,
    tampering,
    webhooks,
)
from tests.promises.plan import Promise

PROMISES: Final[tuple[Promise, ...]] = (
    durable.PROMISE,
    retries.PROMISE,
    duplicates.PROMISE,
    batches.PROMISE,
    webhooks.PROMISE,
    overload.PROMISE,
    opting_out.PROMISE,
    suppressing.PROMISE,
    people.PROMISE,
    tampering.PROMISE,
    publishing.PROMISE,
)
