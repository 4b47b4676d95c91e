"""What was pulled for a message, as its words see it, and as it is kept with it."""

import json
from collections.abc import Mapping
from typing import Any, Final

ROOT: Final = "pulled"
# Of each value, in characters: so that why can be told, and no archive of other systems is made.
_KEPT: Final = 4_000


class Pulled(dict[str, Any]):
    """Values by name; and where each is from."""

    def __init__(self, values: Mapping[str, Any], how: Mapping[str, str]) -> None:
        super().__init__(values)
        self.how = how

    def kept(self) -> dict[str, Any]:
        """For the record: each with where it is from, and with what it was unless that is long."""
        told: dict[str, Any] = {}
        for name, value in self.items():
            size = len(json.dumps(value, ensure_ascii=False))
            what = {"value": value} if size <= _KEPT else {"characters": size}
            told[name] = {"from": self.how.get(name, ""), **what}
        return told
