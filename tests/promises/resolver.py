"""`python -m tests.promises.resolver`: resolves a few messages at a time, so that many meet in the graph."""

import random
import time

import django

_MOST_AT_ONCE = 7
_IDLE_SECONDS = 0.02


def main() -> None:
    django.setup()
    from customers.clock import utcnow
    from customers.resolve.stage import resolve_inbox

    while True:
        if not resolve_inbox(utcnow(), limit=random.randint(1, _MOST_AT_ONCE)):
            time.sleep(_IDLE_SECONDS)


if __name__ == "__main__":
    main()
