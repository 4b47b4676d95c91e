"""The matrix and the metro map: what they show, to whom, and what they let people do to a map."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.db.models import CharField, Model, SlugField, TextField
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from analytics.map_counts import count_map
from channels.models import Message
from customers.clock import utcnow
from customers.ids import new_id
from customers.models import AuditEntry, Brand, Squad
from journeys.maps.steps import place
from journeys.models import Journey, JourneyMap, MapChannel, MapRevision, MapStage, PlacedStep, Touchpoint
from tests.config.one_of_each import HOSTILE, make_one_of_each
from tests.journeys.mapping import Board, make_board
from tests.journeys.stage import Stage, welcome
from tests.query_counts import Frozen

PAGES = ("matrix", "metro")
FRAGMENT = {"X-Fragment": "1"}


@pytest.fixture
def board(stage: Stage) -> Board:
    return make_board(stage.brand)


@pytest.fixture
def root(db: None, client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def person(name: str, *permissions: str, brand: Brand | None = None) -> Client:
    user: User = get_user_model().objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    if brand is not None:
        assign_perm("view_brand", user, brand)
    client = Client()
    client.force_login(user)
    return client


def at(page: str, board: Board, *args: Any) -> str:
    return reverse(f"admin:journeys_journeymap_{page}", args=[board.map.pk, *args])


def part(board: Board, one: Any, page: str = "part") -> str:
    kind = {"Touchpoint": "touchpoint", "MapStage": "stage", "MapChannel": "channel"}[type(one).__name__]
    return at(page, board, kind, one.pk)


def written(touchpoint: Touchpoint, lock: int = 1, **changes: Any) -> dict[str, Any]:
    """The form as the browser would send it back."""
    return {
        "lock": lock,
        "name": touchpoint.name,
        "stage": touchpoint.stage_id,
        "channel": touchpoint.channel_id,
        "conversion_days": 7,
        "intent": "planned",
        **changes,
    }


def shown(client: Client, board: Board, **query: Any) -> str:
    answer = client.get(at("matrix", board), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_matrix_is_a_table_of_stages_and_channels(root: Client, board: Board) -> None:
    board.touchpoint("Welcome")
    html = shown(root, board)
    assert html.count('<th scope="col"') == 3
    assert html.count('<th scope="row"') == 2
    table = html[html.index("<table") : html.index("</table>")]
    assert table.index("Awareness") < table.index("Use") < table.index("e-mail") < table.index("Welcome")


def test_cells_show_what_was_sent_not_sent_and_converted(root: Client, stage: Stage, board: Board) -> None:
    first = board.touchpoint("Welcome", expected_event="login.succeeded")
    stage.publish(welcome())
    place(first, stage.journeys["welcome"], "welcome")
    stage.now = utcnow()
    for user in ("ana", "bia", "caio"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    Message.objects.update(state="sent", settled_at=stage.now)
    last = Message.objects.order_by("-id")[0]
    Message.objects.filter(pk=last.pk).update(state="suppressed", reason="withdrawn")
    count_map(board.map, stage.now)
    answer = root.get(at("matrix", board))
    [card] = answer.context["board"].cards
    assert (card.numbers.sent, card.numbers.not_sent_total, card.standing) == (2, 1, "live")
    html = " ".join(answer.content.decode().split())
    assert "<dt>Sent</dt><dd>2</dd>" in html
    assert "<li>consent withdrawn: 1</li>" in html
    assert "<dt>Conversion</dt><dd>0 %</dd>" in html


def test_planned_and_live_are_told_apart(root: Client, stage: Stage, board: Board) -> None:
    planned = board.touchpoint("Planned")
    missing = board.touchpoint("Missing", intent="live")
    counter = board.touchpoint("Counter", channel=board.store, intent="live")
    live = board.touchpoint("Live")
    stage.publish(welcome())
    place(live, stage.journeys["welcome"], "remind")
    cards = {card.touchpoint.pk: card.standing for card in root.get(at("matrix", board)).context["board"].cards}
    assert cards == {planned.pk: "planned", missing.pk: "missing", counter.pk: "live", live.pk: "live"}


def test_a_live_step_on_no_map_is_named_and_placed_with_one_click(root: Client, stage: Stage, board: Board) -> None:
    stage.publish(welcome())
    journey = stage.journeys["welcome"]
    steps = [one.step.id for one in root.get(at("matrix", board)).context["board"].unplaced]
    assert steps == ["welcome", "remind"]
    where = {"journey": journey.pk, "step": "remind", "to": f"stage:{board.use.pk}"}
    assert root.post(at("place", board), where).status_code == 302
    made = Touchpoint.objects.get(map=board.map)
    assert (made.name, made.stage, made.channel, made.intent) == ("welcome · remind", board.use, board.email, "live")
    board_now = root.get(at("matrix", board)).context["board"]
    assert [one.step.id for one in board_now.unplaced] == ["welcome"]
    assert board_now.cards[0].standing == "live"
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["place_step"]


def test_a_step_goes_to_a_touchpoint_that_is_there_and_comes_off_again(
    root: Client, stage: Stage, board: Board
) -> None:
    first = board.touchpoint("Welcome")
    stage.publish(welcome())
    where = {"journey": stage.journeys["welcome"].pk, "step": "welcome", "to": f"touchpoint:{first.pk}"}
    root.post(at("place", board), where)
    placed = PlacedStep.objects.get()
    assert (placed.touchpoint, placed.step_id) == (first, "welcome")
    root.post(at("unplace", board), {"placed": placed.pk})
    assert not PlacedStep.objects.exists()


@pytest.mark.parametrize(
    "forged",
    [
        {"step": "nowhere"},
        {"journey": new_id()},
        {"journey": "x"},
        {"to": "stage:"},
        {"to": "map:1"},
        {"to": f"touchpoint:{new_id()}"},
        {"to": f"stage:{new_id()}"},
        {"to": "touchpoint:------------------------------------"},
    ],
)
def test_forged_places_place_nothing(root: Client, stage: Stage, board: Board, forged: dict[str, Any]) -> None:
    stage.publish(welcome())
    where = {"journey": stage.journeys["welcome"].pk, "step": "welcome", "to": f"stage:{board.use.pk}"}
    assert root.post(at("place", board), where | forged).status_code == 302
    assert (PlacedStep.objects.count(), Touchpoint.objects.count()) == (0, 0)


def test_a_touchpoint_is_added_in_the_cell_that_was_clicked(root: Client, board: Board) -> None:
    add = at("part_add", board, "touchpoint")
    form = root.get(add, {"stage": str(board.use.pk), "channel": str(board.store.pk)}).context["form"]
    assert (form["stage"].value(), form["channel"].value()) == (board.use.pk, board.store.pk)
    new = Touchpoint(name="Counter", stage=board.use, channel=board.store)
    answer = root.post(add, written(new, lock=0, is_critical="on"))
    made = Touchpoint.objects.get()
    assert (made.name, made.stage, made.channel, made.is_critical) == ("Counter", board.use, board.store, True)
    assert answer["Location"].startswith(at("matrix", board))


def test_an_edit_goes_back_to_the_map_as_it_was_looked_at_and_can_be_undone(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    answer = root.post(part(board, first), written(first, name="Hello", kept="days=30&critical=on&evil=1"), follow=True)
    assert answer.redirect_chain[0][0].startswith(f"{at('matrix', board)}?days=30&critical=on&done=")
    assert "evil" not in answer.redirect_chain[0][0]
    assert answer.context["done"]["text"] == "“Hello” was saved."
    undone = root.post(part(board, first, "part_undo"), {"lock": 2}, follow=True)
    assert undone.status_code == 200
    assert Touchpoint.objects.get().name == "Welcome"


def test_who_changed_what_from_what_to_what_is_in_the_audit_trail(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    root.post(part(board, first), written(first, name="Hello"))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.brand_id) == ("map_edited", str(first.pk), board.map.brand_id)
    assert (entry.before, entry.after) == ({"name": "Welcome"}, {"name": "Hello"})


def test_saving_without_a_change_is_no_revision_and_no_audit_entry(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    root.post(part(board, first), written(first))
    assert (MapRevision.objects.filter(part_id=first.pk).count(), AuditEntry.objects.count()) == (1, 0)


def test_the_second_author_sees_both_versions_and_may_keep_theirs_or_mine(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome", customer_wants="coffee")
    root.post(part(board, first), written(first, name="Theirs", customer_wants="coffee", customer_is="curious"))
    mine = written(first, name="Mine", customer_wants="good coffee")
    late = root.post(part(board, first), mine)
    assert late.status_code == 409
    form = {field.bound.name: field for field in late.context["fields"]}
    assert (form["name"].bound.value(), form["name"].theirs, form["name"].contested) == ("Mine", "Theirs", True)
    assert (form["customer_is"].bound.value(), form["customer_is"].contested) == ("curious", False)
    assert form["customer_wants"].bound.value() == "good coffee"
    assert late.context["form"]["lock"].value() == 2
    assert Touchpoint.objects.get().name == "Theirs"
    merged = {name: field.bound.value() or "" for name, field in form.items() if name != "is_critical"}
    root.post(part(board, first), merged | {"lock": 2, "take": ["name"]})
    now = Touchpoint.objects.get()
    assert (now.name, now.customer_is, now.customer_wants) == ("Theirs", "curious", "good coffee")


def test_what_was_taken_off_meanwhile_can_be_put_back_with_my_words(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    root.post(part(board, first, "part_remove"), {"lock": 1})
    late = root.post(part(board, first), written(first, name="Mine"))
    assert late.status_code == 409
    assert "saving puts it back" in late.content.decode()
    root.post(part(board, first), written(first, lock=2, name="Mine"))
    now = Touchpoint.objects.get()
    assert (now.name, now.removed_at) == ("Mine", None)


def test_a_touchpoint_moves_to_another_cell(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    where = {"stage": board.use.pk, "channel": board.store.pk}
    assert root.post(part(board, first, "part_move"), where | {"lock": 1}).status_code == 302
    assert root.post(part(board, first, "part_move"), where | {"lock": 1}, headers=FRAGMENT).status_code == 409
    now = Touchpoint.objects.get()
    assert (now.stage, now.channel, now.lock_version) == (board.use, board.store, 2)


def test_a_stage_moves_among_its_neighbours(root: Client, board: Board) -> None:
    root.post(part(board, board.use, "part_move"), {"lock": 1, "places": "-1"})
    assert [str(stage) for stage in root.get(at("matrix", board)).context["board"].stages] == ["Use", "Awareness"]


def test_a_stage_with_touchpoints_stays_and_says_why(root: Client, board: Board) -> None:
    board.touchpoint("Welcome")
    answer = root.post(part(board, board.awareness, "part_remove"), {"lock": 1}, follow=True)
    assert "move or remove them first" in answer.content.decode()
    assert board.map.stages.filter(removed_at=None).count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("conversion_days", "31"),
        ("conversion_days", "many"),
        ("stage", new_id()),
        ("channel", "x"),
        ("owner", "999999"),
        ("intent", "maybe"),
        ("name", "a\x00b"),
    ],
)
def test_what_does_not_fit_comes_back_with_its_reason_at_its_field(
    root: Client, board: Board, field: str, value: Any
) -> None:
    first = board.touchpoint("Welcome")
    answer = root.post(part(board, first), written(first, **{field: value}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Touchpoint.objects.get().lock_version == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"Critical", "Mine", "Roles", "Planned"}),
        ({"critical": "on"}, {"Critical"}),
        ({"owner": "process_owner"}, {"Roles"}),
        ({"owner": "nobody"}, {"Critical", "Planned"}),
        ({"standing": "planned"}, {"Critical", "Mine", "Roles", "Planned"}),
        ({"standing": "live"}, set()),
        (
            {"standing": "'; --", "owner": "\N{SNOWMAN}", "days": "x", "at": "-1", "done": "9" * 30},
            {"Critical", "Mine", "Roles", "Planned"},
        ),
    ],
)
def test_filters_narrow_and_nonsense_narrows_nothing(
    root: Client, board: Board, query: dict[str, str], expected: set[str]
) -> None:
    board.touchpoint("Critical", is_critical=True)
    board.touchpoint("Mine", owner=get_user_model().objects.get(username="root"))
    board.touchpoint("Roles", owner_role="process_owner")
    board.touchpoint("Planned")
    rows = root.get(at("matrix", board), query).context["board"].rows
    assert {card.touchpoint.name for row in rows for cell in row.cells for card in cell.cards} == expected


def test_a_person_s_touchpoints_are_found_by_their_owner(root: Client, board: Board) -> None:
    owner = get_user_model().objects.create_user("owner")
    board.touchpoint("Mine", owner=owner)
    board.touchpoint("Other")
    found = root.get(at("matrix", board), {"owner": owner.pk}).context["board"]
    assert (found.shown, len(found.cards)) == (1, 2)


def test_the_metro_map_is_well_formed_and_the_same_each_time(root: Client, stage: Stage, board: Board) -> None:
    board.touchpoint('Welcome <&> "you"', is_critical=True)
    board.touchpoint("Counter", stage=board.use, channel=board.store, arrival_event="store.visited", intent="live")
    stage.now = utcnow()
    count_map(board.map, stage.now)
    drawings = [svg(root.get(at("metro", board)).content.decode()) for _again in range(2)]
    assert drawings[0] == drawings[1]
    tree = ElementTree.fromstring(drawings[0])
    space = "{http://www.w3.org/2000/svg}"
    assert [tree[0].tag, tree[1].tag] == [f"{space}title", f"{space}desc"]
    links = tree.findall(f".//{space}a")
    assert [link.get("href") for link in links] == [
        part(board, one) for one in Touchpoint.objects.order_by("stage__position")
    ]
    assert ["m-station--planned" in link.get("class", "") for link in links] == [True, False]
    assert len(tree.findall(f".//{space}circle[@class='m-critical']")) == 1
    assert 'Welcome <&> "you"' in "".join(links[0].itertext())


def test_coordinates_are_the_same_in_every_language(root: Client, board: Board) -> None:
    board.touchpoint("Welcome")
    board.touchpoint("Counter", stage=board.use, channel=board.store)
    english, portuguese = (
        svg(root.get(at("metro", board), headers={"accept-language": language}).content.decode())
        for language in ("en", "pt-BR")
    )
    for name in ("d", "x", "y", "cx", "cy", "viewBox"):
        assert [one.get(name) for one in ElementTree.fromstring(english).iter()] == [
            one.get(name) for one in ElementTree.fromstring(portuguese).iter()
        ]


def test_an_empty_map_says_what_to_do(root: Client, stage: Stage) -> None:
    empty = JourneyMap.objects.create(brand=stage.brand, name="Empty")
    matrix, metro = (root.get(reverse(f"admin:journeys_journeymap_{page}", args=[empty.pk])) for page in PAGES)
    assert "at least one stage and one channel" in matrix.content.decode()
    assert "No touchpoints to draw" in metro.content.decode()


def test_fragments_are_the_content_alone(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    for path in (at("matrix", board), part(board, first)):
        answer = root.get(path, headers=FRAGMENT)
        assert "<html" not in answer.content.decode()
        assert "X-Fragment" in answer["Vary"]


def test_nothing_people_write_is_believed(root: Client) -> None:
    world = make_one_of_each()
    map_ = JourneyMap.objects.get(brand=world.brand)
    for model in (JourneyMap, MapStage, MapChannel, Touchpoint, Journey, Squad):
        model._default_manager.update(**dict.fromkeys(text_fields(model), HOSTILE))
    Touchpoint.objects.update(owner=get_user_model().objects.create_user(HOSTILE))
    pages = [reverse(f"admin:journeys_journeymap_{name}", args=[map_.pk]) for name in PAGES]
    for kind, one in (
        ("touchpoint", map_.touchpoints.get()),
        ("stage", map_.stages.get()),
        ("channel", map_.channels.get()),
    ):
        pages.append(reverse("admin:journeys_journeymap_part", args=[map_.pk, kind, one.pk]))
        revision = MapRevision.objects.get(part_id=one.pk)
        pages.append(f"{pages[0]}?done={revision.pk}")
    for page in pages:
        answer = root.get(page)
        assert answer.status_code == 200
        assert HOSTILE not in answer.content.decode(), page
        assert "&lt;script&gt;" in answer.content.decode(), page


def text_fields(model: type[Model]) -> list[str]:
    """Whatever people write as they like."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, CharField | TextField)]
    return [field.name for field in fields if not field.choices and not isinstance(field, SlugField)]


def test_the_counts_can_be_asked_for_at_once(root: Client, board: Board) -> None:
    assert root.get(at("count", board)).status_code == 405
    assert root.post(at("count", board)).status_code == 302
    assert root.get(at("matrix", board)).context["numbers"].is_complete


def test_a_new_map_comes_furnished_and_leads_to_its_matrix(root: Client, stage: Stage) -> None:
    form = {"name": "Fresh", "brand": stage.brand.pk, "persona": "Everybody"}
    answer = root.post(reverse("admin:journeys_journeymap_add"), form)
    made = JourneyMap.objects.get(name="Fresh")
    assert answer["Location"] == reverse("admin:journeys_journeymap_matrix", args=[made.pk])
    assert made.stages.count() == 6


def every_address(board: Board, first: Touchpoint) -> list[tuple[str, str]]:
    return [
        ("get", at("matrix", board)),
        ("get", at("metro", board)),
        ("get", part(board, first)),
        ("get", at("part_add", board, "touchpoint")),
        ("post", at("count", board)),
        ("post", at("place", board)),
        ("post", at("unplace", board)),
        ("post", at("part_add", board, "stage")),
        ("post", part(board, first)),
        ("post", part(board, first, "part_move")),
        ("post", part(board, first, "part_remove")),
        ("post", part(board, first, "part_undo")),
    ]


def test_a_foreign_map_is_as_unknown_as_one_that_is_not_there(board: Board) -> None:
    first = board.touchpoint("Welcome")
    other = Brand.objects.create(key="other", name="Other")
    foreigner = person("foreigner", "view_journeymap", "change_journeymap", brand=other)
    unknown = make_board(other, "Unknown")
    unknown.map.pk = new_id()
    for of in (board, unknown):
        answers = [getattr(foreigner, verb)(path, {"lock": 1}) for verb, path in every_address(of, first)]
        assert {answer.status_code for answer in answers} == {404}
    assert Touchpoint.objects.get(pk=first.pk).lock_version == 1


def test_nobody_unknown_sees_anything(board: Board) -> None:
    first = board.touchpoint("Welcome")
    answers = [getattr(Client(), verb)(path, {"lock": 1}) for verb, path in every_address(board, first)]
    assert {answer.status_code for answer in answers} == {302}
    assert all(answer["Location"].startswith("/admin/login/") for answer in answers)


def test_who_may_only_look_looks(board: Board) -> None:
    first = board.touchpoint("Welcome", customer_is="curious")
    auditor = person("auditor", "view_journeymap", brand=board.map.brand)
    html = shown(auditor, board)
    assert "Add a stage" not in html
    assert "draggable" not in html
    panel = auditor.get(part(board, first)).content.decode()
    assert "curious" in panel
    assert "data-map-guard" not in panel
    denied = [getattr(auditor, verb)(path, {"lock": 1}) for verb, path in every_address(board, first)[7:]]
    assert {answer.status_code for answer in denied} == {403}
    assert Touchpoint.objects.get().lock_version == 1


def test_another_squad_s_map_is_looked_at_only(board: Board) -> None:
    board.map.squad = Squad.objects.create(brand=board.map.brand, name="Onboarding")
    board.map.save()
    first = board.touchpoint("Welcome")
    outsider = person("outsider", "view_journeymap", "change_journeymap", brand=board.map.brand)
    assert outsider.get(at("matrix", board)).status_code == 200
    assert outsider.post(part(board, first), written(first, name="x")).status_code == 403


def test_no_permission_is_no_page(board: Board) -> None:
    assert person("agent", brand=board.map.brand).get(at("matrix", board)).status_code == 403


def test_parts_of_another_map_are_not_reached_through_mine(root: Client, board: Board) -> None:
    first = make_board(board.map.brand, "Other map").touchpoint("Theirs")
    for page in ("part", "part_move", "part_remove", "part_undo"):
        assert root.post(part(board, first, page), written(first)).status_code == 404
    assert Touchpoint.objects.get().lock_version == 1


@pytest.mark.parametrize("kind", ["x", "journey", "0"])
def test_unknown_kinds_of_parts_are_not_there(root: Client, board: Board, kind: str) -> None:
    assert root.get(at("part_add", board, kind)).status_code == 404
    assert root.get(at("part", board, kind, board.use.pk)).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_pages_ask_as_much_whatever_stands_on_the_map(
    page: str, root: Client, stage: Stage, board: Board, frozen_queries: Frozen
) -> None:
    owner = get_user_model().objects.create_user("owner")
    stage.publish(welcome())
    touchpoints = [
        board.touchpoint(f"Touchpoint {n}", owner=owner, stage=board.use if n % 2 else board.awareness)
        for n in range(30)
    ]
    place(touchpoints[0], stage.journeys["welcome"], "welcome")
    frozen_queries(f"journey {page} page", lambda: root.get(at(page, board)))


def svg(html: str) -> str:
    """The drawing; as XML it must stand alone."""
    return html[html.index('<svg class="m-svg') : html.index("</svg>", html.index('<svg class="m-svg')) + len("</svg>")]


def test_revisions_are_kept_as_plain_values(root: Client, board: Board) -> None:
    first = board.touchpoint("Welcome")
    kept = MapRevision.objects.get(part_id=first.pk).values
    assert json.loads(json.dumps(kept)) == kept
    assert kept["stage_id"] == str(board.awareness.pk)
