"""Every promise that the lab can put to the test."""

from typing import Final

from tests.promises import (
    batches,
    duplicates,
    durable,
    dying,
    erasing,
    forgetting,
    opting_out,
    overload,
    people,
    poison,
    publishing,
    reconnecting,
    retries,
    suppressing,
    tampering,
    telling,
    timers,
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
    forgetting.PROMISE,
    dying.PROMISE,
    reconnecting.PROMISE,
    poison.PROMISE,
    timers.PROMISE,
    opting_out.PROMISE,
    suppressing.PROMISE,
    people.PROMISE,
    erasing.PROMISE,
    telling.PROMISE,
    tampering.PROMISE,
    publishing.PROMISE,
)
