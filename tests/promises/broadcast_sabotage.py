"""Control builds of broadcasts."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.promises.patching import put


def outcome_before_the_message() -> None:
    """What became of a recipient is committed first, and the message written a moment later."""
    from django.db import connections, transaction

    from channels.broadcasts import make
    from channels.outbox import write_messages as write
    from customers.pg import raw_cursor

    def later(_cursor: Any, messages: Sequence[Any]) -> None:
        def at_last() -> None:
            time.sleep(1.0)
            try:
                with transaction.atomic(), raw_cursor() as own:
                    write(own, messages)
            finally:
                connections.close_all()

        threading.Thread(target=at_last, daemon=True).start()

    put(make, "write_messages", later)


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "outcome before the message": outcome_before_the_message,
}
