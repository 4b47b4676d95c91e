"""Every promise that the lab can put to the test."""

from typing import Final

from tests.promises import batches, duplicates, retries
from tests.promises.plan import Promise

PROMISES: Final[tuple[Promise, ...]] = (retries.PROMISE, duplicates.PROMISE, batches.PROMISE)
