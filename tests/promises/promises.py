"""Every promise that the lab can put to the test."""

from typing import Final

from tests.promises import (
    batches,
    carts,
    duplicates,
    durable,
    entering,
    erasing,
    forgetting,
    halting_now,
    lots,
    opting_out,
    overload,
    people,
    pinned,
    publishing,
    reconnecting,
    retries,
    suppressing,
    tampering,
    telling,
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
    reconnecting.PROMISE,
    entering.PROMISE,
    carts.PROMISE,
    pinned.PROMISE,
    halting_now.PROMISE,
    lots.PROMISE,
    opting_out.PROMISE,
    suppressing.PROMISE,
    people.PROMISE,
    erasing.PROMISE,
    telling.PROMISE,
    tampering.PROMISE,
    publishing.PROMISE,
)
