"""Which tests another version of PostgreSQL could decide otherwise: the mark `server`, which `.ci/run` selects by.

A version of the server takes a statement or it does not, and means the same by it whatever values are bound. So these
are the tests that use the database, and of those with parameters the first set; all of them where each set is another
statement, which their module says by `pytestmark = pytest.mark.own_sql`. Staff pages, forms, vendors' calls and the
demo are made of the ORM's plain statements, and take most of the time.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

_TESTS: Final = Path(__file__).parent
_ELSEWHERE: Final = ("browser", "config", "demo", "promises", "channels/providers")
_IN_THEIR_NAMES: Final = ("page", "form", "admin", "duplicates")
_DATABASES: Final = frozenset({"db", "transactional_db"})


def mark(items: Iterable[pytest.Item]) -> None:
    seen: set[str] = set()
    for item in items:
        if not _is_of_the_server(item):
            continue
        function = item.nodeid.partition("[")[0]
        if function not in seen or item.get_closest_marker("own_sql"):
            item.add_marker(pytest.mark.server)
        seen.add(function)


def _is_of_the_server(item: pytest.Item) -> bool:
    if not _DATABASES.intersection(getattr(item, "fixturenames", ())) and not item.get_closest_marker("django_db"):
        return False
    place = item.path.relative_to(_TESTS).as_posix()
    if place.startswith(_ELSEWHERE):
        return False
    return not any(word in name for name in (item.path.stem, item.name.partition("[")[0]) for word in _IN_THEIR_NAMES)
