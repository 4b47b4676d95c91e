"""How many questions a hot page asks the database, frozen in a file: more of them is a change somebody must mean.

    def test_the_page_asks_what_it_asked(frozen_queries):
        frozen_queries("customer page", lambda: client.get(path))

To freeze anew: TRILHA_FREEZE_QUERIES=1 make test ARGS="-k …", and read the difference of the file.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

FILE = Path(__file__).parent / "config" / "query_counts.json"

Frozen = Callable[[str, Callable[[], Any]], None]


def check(name: str, ask: Callable[[], Any]) -> None:
    """The second time counts: by then what is kept in memory is there."""
    ask()
    with CaptureQueriesContext(connection) as asked:
        ask()
    frozen: dict[str, int] = json.loads(FILE.read_text())
    if os.environ.get("TRILHA_FREEZE_QUERIES"):
        FILE.write_text(json.dumps(dict(sorted((frozen | {name: len(asked)}).items())), indent=2) + "\n")
        return
    told = "\n".join(query["sql"][:200] for query in asked.captured_queries)
    assert len(asked) == frozen.get(name), f"{name}: {len(asked)} queries instead of {frozen.get(name)}\n{told}"
