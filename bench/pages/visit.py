"""Visiting: every address of the staff pages that can be opened without being told what to do there."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from bench.pages.persons import CUSTOMER

# Not pages: they do something, or serve other pages.
_NOT_PAGES = ("logout", "jsi18n", "autocomplete", "password", "view_on_site", "r/", "delete", "two", "setlang")
_WHO = ("admin", "marketer", "squad")
# A page that takes long is not asked for ever.
_LONGEST_SECONDS = 15.0
# Nor is a statement: a page that is not there by then has failed.
_STATEMENT_SECONDS = 5


@dataclass(slots=True)
class Visit:
    name: str
    who: str
    status: int
    queries: int = 0
    # The slowest statement of a first visit, and how long it took.
    statement_ms: float = 0.0
    statement: str = ""
    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.times) if self.times else 0.0

    @property
    def p95(self) -> float:
        return sorted(self.times)[ceil(len(self.times) * 0.95) - 1] if self.times else 0.0


def visit_all(rounds: int) -> Iterator[Visit]:
    """Each page by each of those who may open it; times in milliseconds, the first visit is not counted."""
    settings.ALLOWED_HOSTS = ["*"]
    # Who may not open a page is no news here.
    logging.disable(logging.CRITICAL)
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'")
    pages = list(_pages())
    for who in _WHO:
        client = Client(raise_request_exception=False)
        client.force_login(
            get_user_model().objects.get(username=who), backend="django.contrib.auth.backends.ModelBackend"
        )
        for name, address in pages:
            if (found := _visit(client, name, address, who, rounds)) is not None:
                yield found


def _visit(client: Client, name: str, address: str, who: str, rounds: int) -> Visit | None:
    with CaptureQueriesContext(connection) as queries:
        began = time.perf_counter()
        answer = client.get(address)
        first = time.perf_counter() - began
    if answer.status_code not in (200, 500):
        # Not theirs to see, or it leads elsewhere.
        return None
    asked = [(float(query["time"]), query["sql"]) for query in queries.captured_queries]
    seconds, sql = max(asked, default=(0.0, ""))
    found = Visit(name, who, answer.status_code, len(queries), seconds * 1000, sql)
    if answer.status_code == 500:
        # It did not come in time: no need to wait for that again.
        found.times.append(first * 1000)
        return found
    until = time.monotonic() + _LONGEST_SECONDS
    for _round in range(rounds):
        began = time.perf_counter()
        client.get(address)
        found.times.append((time.perf_counter() - began) * 1000)
        if time.monotonic() > until:
            break
    found.times = found.times or [first * 1000]
    return found


def _pages() -> Iterator[tuple[str, str]]:
    """(name, address): lists, forms and pages of their own; those of a row for a row that has much to show."""
    for name, arguments in sorted(_named("admin")):
        if any(word in name for word in _NOT_PAGES):
            continue
        try:
            if arguments == 0:
                yield name, reverse(f"admin:{name}")
            elif arguments == 1 and (key := _row(name)) is not None:
                yield name, reverse(f"admin:{name}", args=[key])
        except NoReverseMatch:
            continue


def _named(namespace: str) -> set[tuple[str, int]]:
    """Every address of the namespace by name, and how many arguments it takes."""
    [(_prefix, resolver)] = [found for name, found in get_resolver().namespace_dict.items() if name == namespace]
    return set(_patterns(resolver))


def _patterns(resolver: URLResolver) -> Iterator[tuple[str, int]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name, pattern.pattern.regex.groups


def _row(name: str) -> Any:
    """The key of a row for the page `<app>_<model>_<page>`: the busiest customer, else the newest row."""
    model = next(
        (one for one in apps.get_models() if name.startswith(f"{one._meta.label_lower.replace('.', '_')}_")), None
    )
    if model is None:
        return None
    if model._meta.label == "customers.Customer":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {CUSTOMER} FROM generate_series(1, 1) n")
            return cursor.fetchone()[0]
    if isinstance(model._meta.pk, models.CompositePrimaryKey):
        return None
    return model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
