"""No address shows or changes what is not one's own: every route of the URLconf, found by itself (P30).

`routes.json` says for each route what everybody gets: nobody, and each role in the squad that owns the thing, in
another squad of the same brand, and in another brand; by GET and by POST. A route that is not in it fails, and so
does one that answers otherwise. `TRILHA_FREEZE_ROUTES=1` writes the file anew; read the difference before you keep it.
Each of the staff knocks at every third route, so that four do at each, and with ids of others one or two; with `FULL=1`
each at all of them.
What tokens may do at the doors of partners is told by test_api_visibility.py and customers/test_partner_door.py.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from channels.models import Message, Template
from customers.admin.guarded import Guarded
from customers.models import AuditEntry, BrandUserPermission, Customer, Segment, SquadMember
from customers.models.owned import OwnedQuerySet
from customers.visibility import visible
from journeys.models import Journey
from tests.config import route_world as world
from tests.config.route_world import CANARY, EMAIL, ROLES, Cast, Route

pytestmark = pytest.mark.django_db

FILE = Path(__file__).with_name("routes.json")
# What an installation says once for all brands: kinds of identifiers, and what traits mean.
OF_ALL = frozenset({"IdentifierKind", "TraitDefinition"})
# What pages of shops fetch.
SCRIPTS = frozenset(
    {"js/trilha.js", "js/trilha-inbox.js", "js/trilha-push.js", "js/trilha-slots.js", "js/trilha-sw.js"}
)
FREEZE = bool(os.environ.get("TRILHA_FREEZE_ROUTES"))
EVERY = 1 if FREEZE or os.environ.get("FULL") == "1" else 3
ROUTES = world.routes()
PAGES = tuple(route for route in ROUTES if route.model is not None)
NAMING = tuple(route for route in PAGES if route.ids)
OURS = ("customers", "consent", "channels", "journeys", "analytics")
LISTS = [model for model in admin.site._registry if model._meta.app_label in OURS]
SQUADS = ("one", "two", "three")
# Log-out ends the session that the other questions are asked in.
LEAVING = {"admin/logout/"}


def ask(client: Client, verb: str, path: str, data: dict[str, Any] | None = None) -> Any:
    """One request, of which nothing stays."""
    client.cookies.pop("messages", None)
    undone = transaction.atomic()
    # As Django's own tests say of theirs: what must be outermost may still begin inside.
    undone._from_testcase = True  # type: ignore[attr-defined]  # Django's own
    with undone:
        response = client.get(path, data) if verb == "GET" else client.post(path, data or {"post": "yes"})
        transaction.set_rollback(True)
    return response


@pytest.fixture
def cast() -> Cast:
    return world.make_cast()


@pytest.fixture
def _unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the status counts, pages need not be drawn, nor their navigation be worked out."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", property(lambda self: ""))
    monkeypatch.setattr(admin.site, "each_context", lambda request: {})


# --- The matrix -----------------------------------------------------------------------------------------------------


def observed(client: Client, verb: str, at: int) -> dict[str, int]:
    """What a person gets, who stands at this place of the line."""
    return {
        route.pattern: ask(client, verb, route.path(world.own_ids(route))).status_code
        for route in (share(ROUTES, at) if at else ROUTES)
        if route.pattern not in LEAVING
    }


def share(routes: Sequence[Route], at: int) -> list[Route]:
    """Those at which somebody knocks who stands at this place of the line."""
    return [route for number, route in enumerate(routes) if (number + at) % EVERY == 0]


def expected() -> dict[str, dict[str, str]]:
    """By route and verb: what nobody gets, then each role in squads one, two and three."""
    known: dict[str, dict[str, str]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return known


def place(role: str, squad: str) -> int:
    """Where in a line of the file the answer to this person stands."""
    return 1 + ROLES.index(role) * (len(SQUADS) + 1) + SQUADS.index(squad) + 1 if squad else 0


def freeze(at: int, verb: str, seen: dict[str, int]) -> None:
    kept = {pattern: answers for pattern, answers in expected().items() if pattern in seen}
    for pattern, status in seen.items():
        line = kept.setdefault(pattern, {}).get(verb, EMPTY).split()
        line[at] = str(status)
        kept[pattern][verb] = " ".join(line)
    lines = [f"  {json.dumps(pattern)}: {json.dumps(kept[pattern], sort_keys=True)}" for pattern in sorted(kept)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


PEOPLE = [("nobody", ""), *((role, squad) for squad in SQUADS for role in ROLES)]
EMPTY = " ".join(["-", *["|", *["-"] * len(SQUADS)] * len(ROLES)])


@pytest.mark.usefixtures("_unrendered")
@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize(("role", "squad"), PEOPLE, ids=lambda part: part or "-")
def test_everybody_gets_what_is_expected(role: str, squad: str, verb: str, cast: Cast) -> None:
    client = cast.person(role, squad) if squad else Client(raise_request_exception=False)
    at = place(role, squad)
    seen = observed(client, verb, at)
    if FREEZE:
        freeze(at, verb, seen)
    wanted = {pattern: answers[verb].split()[at] for pattern, answers in expected().items() if pattern in seen}
    assert {pattern: status for pattern, status in seen.items() if status >= 500} == {}
    assert {pattern: str(status) for pattern, status in seen.items()} == wanted


def test_every_route_has_an_expectation_for_everybody() -> None:
    known = expected()
    assert {route.pattern for route in ROUTES} - set(known) == LEAVING
    assert {pattern for pattern, answers in known.items() if set(answers) != {"GET", "POST"}} == set()
    assert [pattern for pattern, answers in known.items() if "-" in " ".join(answers.values()).split()] == []


def test_nobody_unknown_gets_further_than_log_in() -> None:
    """What the file may say of strangers, whoever writes it."""
    opened = {pattern for pattern, answers in expected().items() if answers["GET"].split()[0] == "200"}
    assert opened == {"admin/login/", "healthz/live", "healthz/ready", "api/v1/openapi.json", "api/v1/docs", *SCRIPTS}
    written = {pattern for pattern, answers in expected().items() if answers["POST"].split()[0] == "200"}
    assert written == {"admin/login/", "healthz/live", "healthz/ready"}


# --- Ids of others --------------------------------------------------------------------------------------------------


def told_apart(client: Client, verb: str, routes: Sequence[Route] = NAMING) -> list[str]:
    """Routes on which another's id is answered otherwise than one that names nothing."""
    return [
        f"{verb} {route.pattern}"
        for route in routes
        if not _shared(route) and _answer(client, verb, route, foreign=True) != _answer(client, verb, route)
    ]


def _shared(route: Route) -> bool:
    return route.model is not None and route.model.__name__ in OF_ALL


def _answer(client: Client, verb: str, route: Route, *, foreign: bool = False) -> world.Answer:
    ids = world.own_ids(route) if foreign else world.unknown_ids(route)
    return world.answer(ask(client, verb, route.path(ids)), ids)


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("role", ROLES)
def test_another_brands_id_is_answered_like_an_unknown_one(role: str, verb: str, cast: Cast) -> None:
    assert told_apart(cast.person(role, "three"), verb, share(NAMING, ROLES.index(role))) == []


@pytest.mark.parametrize("squad", ["two", "three"])
@pytest.mark.parametrize("role", ROLES)
def test_posts_to_what_is_anothers_change_nothing(role: str, squad: str, cast: Cast) -> None:
    client = cast.person(role, squad)
    owned = {Template, Journey, Segment}
    aimed = [route for route in NAMING if squad == "three" or route.model in owned]
    aimed = share(aimed, ROLES.index(role))
    before = world.everything(but=("AuditEntry",))
    for route in aimed:
        client.post(route.path(world.own_ids(route)), {"post": "yes", "name": "Taken", "key": "taken", "_save": "1"})
    assert world.everything(but=("AuditEntry",)) == before


def test_what_was_tried_is_on_the_trail(cast: Cast) -> None:
    template = Template.objects.get()
    cast.person("marketer", "three").post(page(Template, "change", template.pk), {"name": "Taken"})
    cast.person("marketer", "two").post(page(Template, "change", template.pk), {"name": "Taken"})
    tried = AuditEntry.objects.filter(action="refused").order_by("pk")
    assert [(one.object_type, one.after and one.after["objects"]) for one in tried] == [
        ("channels.template", [str(template.pk)])
    ] * 2


# --- Lists ----------------------------------------------------------------------------------------------------------


def page(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def leaks(client: Client, questions: list[dict[str, Any]]) -> list[str]:
    """Lists that show, count or name anything of the first brand."""
    found = []
    for model in LISTS:
        if model.__name__ in OF_ALL:
            continue
        for question in questions:
            response = ask(client, "GET", page(model, "changelist"), question)
            if response.status_code in (302, 403):
                continue
            assert response.status_code == 200, (model, question, response.status_code)
            shown = response.content.decode()
            # What was typed comes back in the box it was typed into.
            foreign = [word for word in (CANARY, EMAIL) if word in shown and word not in question.values()]
            listed = response.context["cl"].result_count if response.context and "cl" in response.context else 0
            # A person sees themselves: their squad, and its brand.
            own = {"Brand", "Squad", "SquadMember"}
            if foreign or (listed and model.__name__ not in own):
                found.append(f"{model.__name__} {question}")
    return found


@pytest.mark.parametrize("role", ["marketer", "auditor"])
def test_lists_counts_and_filters_show_nothing_of_another_brand(role: str, cast: Cast) -> None:
    assert leaks(cast.person(role, "three"), [{}, {"o": "1"}, {"o": "-2.1"}]) == []


def test_nothing_of_another_brand_is_found_by_search(cast: Cast) -> None:
    customer = str(Customer.objects.order_by("pk").first())
    auditor = cast.person("auditor", "three")
    assert leaks(auditor, [{"q": EMAIL}, {"q": customer}, {"q": CANARY}, {"q": str(Journey.objects.get().pk)}]) == []


@pytest.mark.parametrize(
    "question",
    [
        {"squad__name__startswith": "K"},
        {"brand__key__startswith": "a"},
        {"_connector": "OR 1=1"},
        {"credentials__startswith": "a"},
        {"traits__first_name__startswith": "A"},
        {"value__startswith": "ana"},
        {"id__gt": "0"},
        {"pk__regex": "(a+)+$"},
        {"password": "x"},
        {"ordering": "password"},
    ],
    ids=lambda question: next(iter(question)),
)
def test_a_list_answers_to_no_filter_that_it_did_not_declare(question: dict[str, str], cast: Cast) -> None:
    auditor = cast.person("auditor", "one")
    answered = []
    for model in LISTS:
        response = ask(auditor, "GET", page(model, "changelist"), question)
        refused = response.status_code in (400, 403) or (
            response.status_code == 302 and response["Location"].endswith("?e=1")
        )
        if not refused:
            answered.append((model.__name__, response.status_code))
    assert answered == []


@pytest.mark.parametrize("question", [{"o": "99.-99.x"}, {"p": "9" * 30}, {"p": "x"}, {"e": "1"}, {"all": ""}])
def test_a_list_takes_any_order_and_page_in_its_stride(question: dict[str, str], cast: Cast) -> None:
    auditor = cast.person("auditor", "one")
    answers = {model.__name__: ask(auditor, "GET", page(model, "changelist"), question).status_code for model in LISTS}
    assert {name: status for name, status in answers.items() if status not in (200, 302, 403)} == {}


def test_choices_that_are_typed_for_offer_nothing_of_another_brand(cast: Cast) -> None:
    clients = [cast.person(role, "three") for role in ("marketer", "auditor")]
    asked = 0
    for model, pages in admin.site._registry.items():
        for name in pages.get_autocomplete_fields(None):  # type: ignore[arg-type]  # ours do not look at the request
            options = model._meta
            query = {"app_label": options.app_label, "model_name": options.model_name, "field_name": name, "term": ""}
            for client in clients:
                response = ask(client, "GET", reverse("admin:autocomplete"), query)
                assert response.status_code in (200, 403)
                assert CANARY not in response.content.decode(), (model, name)
                asked += 1
    assert asked > 20


# --- Actions and forms ----------------------------------------------------------------------------------------------


def actions() -> Iterator[tuple[type[Model], str]]:
    for model in LISTS:
        pages = admin.site._registry[model]
        for action in pages.actions or ():
            yield model, action if isinstance(action, str) else action.__name__
        yield model, "delete_selected"


def acted(client: Client) -> list[str]:
    """Actions that did something to rows which are not this person's to change."""
    done = []
    before = world.everything(but=("AuditEntry",))
    for model, action in actions():
        for across in ("0", "1"):
            chosen = {"action": action, "_selected_action": _keys(model), "select_across": across, "index": "0"}
            response = client.post(page(model, "changelist"), {**chosen, "post": "yes"})
            assert response.status_code < 500, (model, action)
        after = world.everything(but=("AuditEntry",))
        if after != before:
            done.append(f"{model.__name__} {action}")
        before = after
    return done


def _keys(model: type[Model]) -> list[str]:
    return [str(key) for key in model._default_manager.values_list("pk", flat=True)[:3]] + ["nonsense", "-1"]


@pytest.mark.parametrize("squad", ["two", "three"])
def test_actions_leave_alone_what_is_anothers(squad: str, cast: Cast) -> None:
    client = cast.person("squad member", squad)
    assert acted(client) == []


def test_an_action_with_one_row_of_anothers_does_nothing_at_all(cast: Cast) -> None:
    mine = Template.objects.create(brand=cast.first, squad=cast.squads["two"], key="mine", name="Mine", channel="email")
    marketer = cast.person("marketer", "two")
    journey = Journey.objects.create(brand=cast.first, squad=cast.squads["two"], key="mine", name="Mine")
    chosen = {"action": "stop_sending", "_selected_action": [str(journey.pk), str(Journey.objects.get(name=CANARY).pk)]}
    marketer.post(page(Journey, "changelist"), chosen)
    assert not apps.get_model("channels.SendStop")._default_manager.filter(scope_id=journey.pk).exists()
    assert mine.name == "Mine"
    assert AuditEntry.objects.filter(action="refused", object_type="journeys.journey").count() == 1


def test_no_form_offers_or_takes_what_is_anothers(cast: Cast) -> None:
    client = cast.person("marketer", "three")
    before = world.everything(but=("AuditEntry",))
    offered, took = [], []
    for model in LISTS:
        response = client.get(page(model, "add"))
        if response.status_code != 200:
            continue
        if CANARY in response.content.decode():
            offered.append(model.__name__)
        related = {
            field.name: str(_first(field.related_model))
            for field in model._meta.get_fields()
            if field.many_to_one and _first(field.related_model) is not None
        }
        forged = {"key": "taken", "name": "Taken", "number": "7", **related}
        # The form again, with what is wrong.
        if client.post(page(model, "add"), forged).status_code not in (200, 422):
            took.append(model.__name__)
    assert (offered, took) == ([], [])
    assert world.everything(but=("AuditEntry",)) == before


def _first(model: Any) -> Any:
    return model._default_manager.values_list("pk", flat=True).first()


def test_who_may_only_look_finds_no_form_that_saves(cast: Cast) -> None:
    auditor = cast.person("auditor", "one")
    # Whoever looks at a map may have its figures counted anew.
    figures = ("MapCount", "TouchpointDay", "TouchpointMove")
    before = world.everything(but=("AuditEntry", *figures))
    for route in PAGES:
        auditor.post(route.path(world.own_ids(route)), {"name": "Taken", "post": "yes", "_save": "1"})
    assert world.everything(but=("AuditEntry", *figures)) == before


# --- Rights that end ------------------------------------------------------------------------------------------------


def test_what_was_taken_away_is_gone_with_the_next_page(cast: Cast) -> None:
    client = cast.person("marketer", "one")
    path = page(Template, "change", Template.objects.get().pk)
    assert client.get(path).status_code == 200
    SquadMember.objects.filter(user__username="marketer one").delete()
    assert client.get(path).status_code == 302
    user = User.objects.get(username="marketer one")
    assign_perm("view_brand", user, cast.first)
    assert client.get(path).status_code == 200
    BrandUserPermission.objects.filter(user=user).delete()
    assert client.get(path).status_code == 302


def test_somebody_inactive_sees_nothing_whatever_they_were_given(cast: Cast) -> None:
    client = cast.person("marketer", "one")
    User.objects.filter(username="marketer one").update(is_active=False)
    user = User.objects.get(username="marketer one")
    assert client.get(page(Template, "changelist")).status_code == 302
    assert [model for model in LISTS if visible(model._default_manager.all(), user).exists()] == []


# --- Controls: with one filter removed, these tests fail --------------------------------------------------------------


@pytest.mark.parametrize("model", [Template, Message, Customer, Journey], ids=lambda model: model.__name__)
def test_control_one_list_that_forgets_to_ask(model: type[Model], cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cast.person("auditor", "three")
    pages = admin.site._registry[model]
    aimed = tuple(route for route in NAMING if route.model is model)
    assert (told_apart(client, "GET", aimed), leaks(client, [{}])) == ([], [])
    monkeypatch.setattr(pages, "get_queryset", lambda request: model._default_manager.all(), raising=False)
    assert leaks(client, [{}]) == [f"{model.__name__} {{}}"]
    assert told_apart(client, "GET", aimed) != []


def test_control_actions_that_forget_to_ask(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cast.person("squad member", "two")
    monkeypatch.setattr(OwnedQuerySet, "changeable_by", lambda rows, user: rows.all())
    assert issubclass(type(admin.site._registry[Journey]), Guarded)
    assert "Journey stop_sending" in acted(client)
