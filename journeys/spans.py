"""How long anything in a journey may take."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from customers.rules.errors import Problem

MAX_DAYS: Final = 3650


def span_problems(span: timedelta, pointer: str) -> Iterator[Problem]:
    if not timedelta(0) < span <= timedelta(days=MAX_DAYS):
        yield Problem("duration", pointer, _("A span is longer than nothing and at most ten years."))
