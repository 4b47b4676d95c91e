"""Every address of the installation, and the people who knock on it: three squads in two brands, four roles."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import connection
from django.db.models import AutoField, Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from channels.models import Campaign, Connector, ContentBlock, Image, Template
from customers.models import Brand, Segment, Source, Squad, SquadMember
from customers.reach import reach_of
from journeys.models import Journey, JourneyMap, Touchpoint
from tests.config.one_of_each import make_one_of_each

ROLES = ("marketer", "squad member", "agent", "auditor")
# Stands in whatever of the first brand has a name, and must be in no answer to the second.
CANARY = "Kookaburra"
EMAIL = "ana@example.com"
_ID = re.compile(r"<(?:[a-z]+:)?(\w+)>")
# Django's admin has two addresses by regular expressions, with these for what varies.
_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")
_FILLED = {"app_label": "customers", "url": "nowhere"}
_found: dict[tuple[type[Model], str], Any] = {}


class Route(NamedTuple):
    """`pattern` is the address with names for what varies, by which the expectations go."""

    pattern: str
    name: str

    @property
    def ids(self) -> list[str]:
        return _ID.findall(_GROUP.sub("", self.pattern))

    @property
    def model(self) -> type[Model] | None:
        """The model whose pages it belongs to."""
        parts = self.pattern.split("/")
        try:
            return apps.get_model(parts[1], parts[2]) if parts[0] == "admin" and len(parts) > 3 else None
        except LookupError:
            return None

    def path(self, ids: dict[str, Any]) -> str:
        plain = _GROUP.sub(lambda found: _FILLED[found[1]], self.pattern)
        return "/" + _ID.sub(lambda found: str(ids.get(found[1], "x")), plain)


def routes() -> list[Route]:
    """All of them, as the URLconf tells."""
    return sorted(set(_walk(get_resolver(), "")))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern)
        elif isinstance(entry, URLPattern):
            yield Route(pattern.replace("^", "").replace("$", ""), entry.name or "")


@dataclass(slots=True)
class Cast:
    """Squads One and Two work in the first brand, Three in the second; One owns what has an owner."""

    first: Brand
    second: Brand
    squads: dict[str, Squad]

    def person(self, role: str, squad: str) -> Client:
        user = User.objects.create_user(f"{role} {squad}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        SquadMember.objects.create(squad=self.squads[squad], user=user, role=SquadMember.Role.PROCESS_OWNER)
        return logged_in(user)


def logged_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def make_cast() -> Cast:
    _found.clear()
    _count_from_far_away()
    world = make_one_of_each()
    one = Squad.objects.get()
    owned: tuple[type[Model], ...] = (
        Source, Journey, JourneyMap, Connector, Template, ContentBlock, Image, Segment, Campaign,
    )  # fmt: skip
    for model in owned:
        model._default_manager.update(squad=one)
    for name in (
        "customers.Brand", "customers.Squad", "customers.Source", "consent.Purpose", "consent.Notice",
        "channels.Campaign", "channels.Connector", "channels.Template", "channels.ContentBlock", "channels.Image",
        "journeys.Journey", "journeys.JourneyMap", "customers.EventType", "customers.Segment",
    ):  # fmt: skip
        apps.get_model(name)._default_manager.update(name=CANARY)
    User.objects.filter(username="member").update(username=f"{CANARY}-member")
    second = Brand.objects.create(key="second", name="Second")
    squads = {
        "one": one,
        "two": Squad.objects.create(brand=world.brand, name=f"{CANARY} Two"),
        "three": Squad.objects.create(brand=second, name="Three"),
    }
    return Cast(world.brand, second, squads)


def _count_from_far_away() -> None:
    """Numbers as ids must be found in an answer by their looks: a page says 4 or 11 for many reasons."""
    numbered = [model for model in apps.get_models() if isinstance(model._meta.pk, AutoField)]
    with connection.cursor() as cursor:
        for model in numbered:
            assert model._meta.pk is not None
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, %s), greatest(nextval(pg_get_serial_sequence(%s, %s)), %s))",
                [model._meta.db_table, model._meta.pk.column] * 2 + [700_000_000],
            )


def own_ids(route: Route) -> dict[str, Any]:
    """The ids by which the first brand's things are named in this address."""
    if not route.ids:
        return {}
    row = _row_of_first_brand(route.model) if route.model is not None else None
    known: dict[str, Any] = {
        "journey_id": _key(Journey),
        "map_id": _key(JourneyMap),
        "part_id": _key(Touchpoint),
        "kind": "touchpoint",
        "message_id": _key(apps.get_model("channels.Message")),
        "object_id": _text(row),
        "pk": getattr(row, "pk", None),
    }
    return {name: known[name] for name in route.ids if known.get(name) is not None}


def _row_of_first_brand(model: type[Model]) -> Model | None:
    found: Model | None = _once(model, "row", lambda: _first_row(model))
    return found


def _first_row(model: type[Model]) -> Model | None:
    rows = model._default_manager.all()
    return rows.filter(reach_of(model).within([Brand.objects.exclude(key="second").get().pk])).first() or rows.first()


def _once(model: type[Model], what: str, find: Callable[[], Any]) -> Any:
    """Looked up once for each cast: the addresses of all routes name the same few things."""
    if (model, what) not in _found:
        _found[model, what] = find()
    return _found[model, what]


def unknown_ids(route: Route) -> dict[str, Any]:
    """Ids of the same shape that name nothing."""
    return {name: "touchpoint" if name == "kind" else _nothing(value) for name, value in own_ids(route).items()}


def _nothing(value: Any) -> Any:
    if isinstance(value, UUID):
        return uuid4()
    if isinstance(value, int) or str(value).isdecimal():
        return 987_654_321
    try:
        UUID(str(value))
    except ValueError:
        return "nothing"
    return uuid4()


def _key(model: type[Model]) -> Any:
    return _once(model, "key", lambda: model._default_manager.values_list("pk", flat=True).first())


def _text(row: Model | None) -> str | None:
    return None if row is None or isinstance(row.pk, bytes | memoryview | tuple) else str(row.pk)


class Answer(NamedTuple):
    """What somebody learns from an answer, with the id they asked by left out."""

    status: int
    location: str
    told: tuple[str, ...]
    body: str


_TOKENS = re.compile(
    r'csrfmiddlewaretoken" value="\w+"|csrf-token[^>]+>|"X-CSRFToken":\s*"\w+"|"request_id":\s*"[^"]+"'
)


def answer(response: Any, ids: dict[str, Any]) -> Answer:
    def plain(text: str) -> str:
        for value in ids.values():
            if value != "touchpoint":
                text = re.sub(rf"(?<!\w){re.escape(str(value))}(?!\w)", "ID", text)
        return _TOKENS.sub("", text)

    request = getattr(response, "wsgi_request", None)
    told = tuple(plain(str(message)) for message in get_messages(request)) if request is not None else ()
    body = "" if response.streaming else response.content.decode(errors="replace")
    return Answer(response.status_code, plain(response.headers.get("Location", "")), told, plain(body))


def everything(*, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """All rows of all our tables, to see whether anything was done."""
    ours = ("customers", "consent", "channels", "journeys", "analytics")
    models = [model for app in ours for model in apps.get_app_config(app).get_models()]
    return {
        model.__name__: sorted(map(repr, model._default_manager.values_list()))
        for model in models
        if model.__name__ not in but
    }
