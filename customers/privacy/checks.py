"""What must hold of the data map before anything is started."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from customers.privacy.stores import uncovered


def every_personal_field_has_a_store(**_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{field} is marked personal and no store of the data map covers it.",
            hint="Register a store with its table in the app's ready(), so that it is exported and erased.",
            id="customers.E001",
        )
        for field in uncovered()
    ]


def erasures_are_listed(**_: Any) -> list[CheckMessage]:
    if settings.ERASURE_LIST:
        return []
    return [
        Warning(
            "ERASURE_LIST names no file: after a restore nobody knows who was erased since the backup was taken.",
            hint="Name a file on storage that the backup does not put back.",
            id="customers.W001",
        )
    ]


def register_ours() -> None:
    register(every_personal_field_has_a_store)
    register(erasures_are_listed)
