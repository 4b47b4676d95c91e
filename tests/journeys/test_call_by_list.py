"""Staff call people into a journey by a list: it is looked at with nothing done, then called once they say so."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.models import ConsentEntry
from customers import jobs
from customers.internal import tell
from customers.models import AuditEntry, Brand, Event, Identifier, Job, Profile, Source
from customers.privacy import stores
from customers.retention import apply as retention
from journeys.engine import foretell as foretell_module
from journeys.entry import calls, previews
from journeys.entry.list_lines import MOST_BYTES, MOST_LINES
from journeys.entry.names import CALLED
from journeys.models import CallList, CallListRow, EntryRefusal, Journey, Run, RunContext
from tests.customers.test_import_pages import client_of, marketer
from tests.journeys.segments import GOLD, build_all, make_segment
from tests.journeys.stage import Stage, welcome
from tests.journeys.test_call_by_hand import root

__all__ = ["root"]
KEYED: dict[str, Any] = welcome(
    entry={"event": "cart.left", "key": "cart"},
    variables=[
        {"name": "total", "kind": "number", "property": "order.total"},
        {"name": "vip", "kind": "boolean", "property": "vip"},
    ],
    steps=[
        {"type": "delay", "id": "wait", "state": "not_activated", "after": "P1D", "next": "lost"},
        welcome()["steps"][4],
    ],
)


def page(stage: Stage, name: str = "people") -> str:
    return reverse(f"admin:journeys_journey_{name}", args=[stage.journeys["welcome"].pk])


def hand_in(client: Client, stage: Stage, text: str = "", *, file: str | bytes | None = None, **more: str) -> Any:
    sent: dict[str, Any] = {"do": "hand_in", "kind": "user_id", "people": text, **more}
    if file is not None:
        data = file if isinstance(file, bytes) else file.encode()
        sent["file"] = SimpleUploadedFile("people.csv", data)
    return client.post(page(stage), sent, follow=True)


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def the_list() -> CallList:
    return CallList.objects.get()


def look(stage: Stage, client: Client, text: str = "", **more: Any) -> CallList:
    """Hand in and have it looked at."""
    answer = hand_in(client, stage, text, **more)
    assert said(answer) == ["The list is being looked at; nobody is called yet."]
    build_all(stage.now)
    return CallList.objects.latest("created_at", "id")


def call(stage: Stage, client: Client, chosen: CallList) -> Any:
    answer = client.post(page(stage), {"do": "call", "list": str(chosen.pk)}, follow=True)
    build_all(stage.now)
    stage.run()
    return answer


def left(stage: Stage, client: Client, chosen: CallList) -> list[list[str]]:
    answer: Any = client.get(page(stage), {"show": str(chosen.pk), "file": "1"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def retain(now: datetime) -> None:
    """Let go what is older than its time."""
    retention.ask(now)
    build_all(now)


@pytest.fixture
def live(stage: Stage) -> Stage:
    """Ana and Bia agreed, Ivo did not; Eva is in the journey already."""
    stage.publish(welcome())
    for user, granted in (("ana", True), ("bia", True), ("ivo", False), ("eva", True)):
        stage.know(user, granted=granted)
    stage.happen("customer.signed_up", "eva")
    return stage


def test_a_pasted_list_is_looked_at_first_and_nothing_is_done(live: Stage, root: Client) -> None:
    before = (Run.objects.count(), Event.objects.count(), ConsentEntry.objects.count())
    chosen = look(live, root, "ana\n\n bia \nivo\neva\nnobody\nana\n")
    assert (chosen.lines, chosen.kind) == (6, "user_id")
    assert chosen.found == {"known": 4, "unknown": 1, "twice": 1}
    assert chosen.reasons == {"let_in": 2, "no_consent": 1, "already_live": 1}
    assert (Run.objects.count(), Event.objects.count(), ConsentEntry.objects.count()) == before
    assert not EntryRefusal.objects.exists()
    shown = root.get(page(live), {"show": str(chosen.pk)}).context["shown"]
    assert (shown["known"], shown["let_in"], shown["may_call"]) == ("4", "2", True)
    assert shown["refused"] == [("a run of this key is live", "1"), ("no consent", "1")]
    assert [(row.line, row.value, row.problem) for row in shown["faulty"]] == [
        (6, "nobody", "unknown"),
        (7, "ana", "twice"),
    ]


def test_once_they_say_so_they_are_called_and_what_is_left_can_be_taken_home(live: Stage, root: Client) -> None:
    chosen = look(live, root, "ana\nbia\nivo\neva\nnobody\nana\n")
    assert said(call(live, root, chosen)) == ["They are being called in; below you see how far it is."]
    assert sorted(run.profile.identifier.value for run in live.runs()) == ["ana", "bia", "eva"]
    assert sorted(live.refusals()) == ["already_live", "no_consent"]
    came = root.get(page(live), {"show": str(chosen.pk)}).context["shown"]["came"]
    assert (came.job.state, came.job.done, came.let_in) == ("done", 4, 2)
    assert came.refused == [("a run of this key is live", 1), ("no consent", 1)]
    assert left(live, root, chosen) == [
        ["user_id", "line", "reason"],
        ["ivo", "3", "no consent"],
        ["eva", "4", "a run of this key is live"],
        ["nobody", "5", "nobody is known by it"],
        ["ana", "6", "the person stands in an earlier line"],
    ]
    acts = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert [act for act in acts if act in ("hand_in_list", "call_in", "export")] == [
        "hand_in_list",
        "call_in",
        "export",
    ]


def test_a_list_is_called_once_and_not_before_it_was_looked_at(live: Stage, root: Client) -> None:
    hand_in(root, live, "ana")
    assert said(call(live, root, the_list())) == ["The list was not looked at yet."]
    call(live, root, the_list())
    again = call(live, root, the_list())
    assert said(again) == ["This list was called already. Hand it in again to call it again."]
    assert Event.objects.filter(name=CALLED).count() == 1


def test_a_call_of_a_list_goes_on_where_a_killed_worker_stopped(
    live: Stage, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = look(live, root, "ana\nbia\nivo")
    monkeypatch.setattr(calls, "PIECE", 1)
    told = list[int]()

    def dies_in_the_second_piece(*arguments: Any) -> int:
        told.append(1)
        if len(told) == 2:
            raise ConnectionError("the worker is gone")
        return tell(*arguments)

    monkeypatch.setattr(calls, "tell", dies_in_the_second_piece)
    root.post(page(live), {"do": "call", "list": str(chosen.pk)})
    jobs.work_on(lambda: live.now, seconds=60)
    Job.objects.filter(kind=calls.KIND).update(state="waiting", leased_until=None, ended_at=None)
    assert Event.objects.filter(name=CALLED).count() == 1
    build_all(live.now)
    assert Event.objects.filter(name=CALLED).count() == 3


def test_it_can_be_stopped_and_the_rest_is_left(live: Stage, root: Client) -> None:
    chosen = look(live, root, "ana\nbia")
    root.post(page(live), {"do": "call", "list": str(chosen.pk)})
    answer = root.post(page(live), {"do": "stop", "list": str(chosen.pk)}, follow=True)
    assert said(answer)[-1] == "It was stopped: what is done stays done."
    build_all(live.now)
    assert [row[-1] for row in left(live, root, chosen)[1:]] == ["not called", "not called"]
    assert Event.objects.filter(name=CALLED).count() == 0


def test_looking_goes_on_from_piece_to_piece_and_finds_nobody_twice(
    live: Stage, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "PIECE", 2)
    chosen = look(live, root, "ana\nbia\nana\nivo\nbia")
    assert chosen.found == {"known": 3, "twice": 2}
    assert chosen.reasons == {"let_in": 2, "no_consent": 1}


# --- whom lines name -----------------------------------------------------------------------------------------


def test_people_are_named_by_e_mail_and_by_the_customers_id_as_well(live: Stage, root: Client) -> None:
    chosen = look(live, root, "ANA@example.com\nbia@example.com\nnot an address", kind="email")
    assert chosen.found == {"known": 2, "not_one": 1}
    ana = Profile.objects.get(identifier__value="ana").customer_id
    theirs = look(live, root, f"{ana}\n{ana}\n019a1f6e-8a51-7cc3-9d53-0a3c1f2b4d5e\nana", kind="customer")
    assert theirs.found == {"known": 1, "twice": 1, "unknown": 1, "not_one": 1}


def test_a_name_that_several_people_have_in_different_sources_is_ambiguous(live: Stage, root: Client) -> None:
    till = Source.objects.create(brand=live.brand, key="till", name="Till", namespace=live.connector.pk)
    shop, live.source = live.source, till
    live.know("ana2")
    live.source = shop
    Identifier.objects.filter(value="ana2").update(value="ana", original="ana")
    assert look(live, root, "ana").found == {"ambiguous": 1}


def test_people_of_another_brand_are_unknown(live: Stage, root: Client) -> None:
    other = Brand.objects.create(key="other", name="Other")
    theirs = Source.objects.create(brand=other, key="their", name="Their")
    shop, live.source = live.source, theirs
    live.accept("identify", "zoe", traits={"email": "zoe@example.com"}, email="zoe@example.com")
    live.run()
    live.source = shop
    zoe = Profile.objects.get(identifier__value="zoe").customer_id
    assert look(live, root, "zoe@example.com", kind="email").found == {"unknown": 1}
    assert look(live, root, str(zoe), kind="customer").found == {"unknown": 1}


# --- files ---------------------------------------------------------------------------------------------------


def test_columns_of_a_file_are_what_the_entry_event_would_say(stage: Stage, root: Client) -> None:
    stage.publish(KEYED)
    stage.know("ana")
    stage.know("bia")
    text = (
        "who;cart;order.total;vip;note\nana;c1;12.5;yes;x\nana;c2;7;no;x\nana;c1;1;;x\nbia;;1;;x\nbia;c9;much;;x\n"
        ';c3;1;;x\nbia;"c4;1\nbia;c5;1e3;;x\n'
    )
    chosen = look(stage, root, file=text, column="who")
    assert chosen.columns == ["cart", "order.total", "vip"]
    rows = CallListRow.objects.order_by("line").values_list("line", "problem", "data")
    assert list(rows) == [
        (2, "", {"cart": "c1", "order": {"total": 12.5}, "vip": True}),
        (3, "", {"cart": "c2", "order": {"total": 7}, "vip": False}),
        (4, "twice", {"cart": "c1", "order": {"total": 1}}),
        (5, "", {"order": {"total": 1}}),
        (6, "bad_data", {}),
        (7, "broken", {}),
        (8, "broken", {}),
        (9, "", {"cart": "c5", "order": {"total": 1000}}),
    ]
    assert chosen.reasons == {"let_in": 3, "key_missing": 1}
    call(stage, root, chosen)
    runs = Run.objects.order_by("entry_key")
    assert [run.entry_key for run in runs] == ["c1", "c2", "c5"]
    assert RunContext.objects.get(run=runs[0]).variables["order"] == {"total": 12.5}
    assert left(stage, root, chosen)[1:] == [
        ["ana", "c1", "1", "", "4", "the person stands in an earlier line"],
        ["bia", "", "1", "", "5", "the entry key is missing"],
        ["bia", "", "", "", "6", "a cell does not fit what the journey remembers"],
        ["", "", "", "", "7", "the line cannot be read"],
        ["", "", "", "", "8", "the line cannot be read"],
    ]


def test_what_a_call_says_of_itself_cannot_be_said_by_a_column(stage: Stage, root: Client) -> None:
    stage.publish(KEYED | {"variables": [{"name": "j", "kind": "text", "property": "journey"}]})
    stage.know("ana")
    chosen = look(stage, root, file="user_id,cart,journey\nana,c1,elsewhere\n")
    call(stage, root, chosen)
    assert Run.objects.get().context.variables["journey"] == str(stage.journeys["welcome"].pk)


def test_a_cell_that_a_spreadsheet_would_compute_is_harmless_in_what_is_left(live: Stage, root: Client) -> None:
    chosen = look(live, root, "=1+1\n@cmd\n+55")
    assert [row[0] for row in left(live, root, chosen)[1:]] == ["'=1+1", "'@cmd", "'+55"]
    # Handed in again, it names what it named.
    again = look(live, root, file="user_id\n'=1+1\n'+55\n")
    assert list(CallListRow.objects.filter(parent=again).order_by("line").values_list("value", flat=True)) == [
        "=1+1",
        "+55",
    ]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"text": "\n \n"}, "The list is empty."),
        ({"text": "ana", "kind": "shoe_size"}, "Say by which kind of identifier the list names people."),
        ({"text": "ana", "kind": ""}, "Say by which kind of identifier the list names people."),
        ({"file": "who,cart\nana,c1\n", "column": "person"}, "The file has no column “person”."),
        ({"file": "user_id\n"}, "The list is empty."),
        ({"file": b"PK\x03\x04workbook"},
         "This is a packed file or a workbook. Save it as CSV, unpacked, and hand that in."),
        ({"file": b"who\n" + b"a\n" * (MOST_LINES + 1)}, "A list has at most 100,000 lines. Hand it in in parts."),
        ({"file": b"x" * (MOST_BYTES + 1)}, "A list is at most 10 MB. Hand it in in parts."),
    ],
)  # fmt: skip
def test_what_can_be_no_list_is_refused_as_a_whole(live: Stage, root: Client, sent: Any, text: str) -> None:
    answer = hand_in(root, live, sent.pop("text", ""), **sent)
    assert said(answer) == [text]
    assert not CallList.objects.exists()


def test_lines_that_are_too_long_or_not_to_be_kept_are_broken(live: Stage, root: Client) -> None:
    chosen = look(live, root, "x" * 301 + "\na\0b\nana")
    assert chosen.found == {"broken": 2, "known": 1}


def test_a_list_that_was_not_looked_at_to_its_end_is_not_called(live: Stage, root: Client) -> None:
    hand_in(root, live, "ana")
    Journey.objects.update(status=Journey.Status.PAUSED)
    build_all(live.now)
    Journey.objects.update(status=Journey.Status.LIVE)
    assert the_list().found == {}
    assert said(call(live, root, the_list())) == ["The list was not looked at yet."]


def test_a_journey_that_is_not_live_takes_no_list(live: Stage, root: Client) -> None:
    chosen = look(live, root, "ana")
    Journey.objects.update(status=Journey.Status.PAUSED)
    assert said(hand_in(root, live, "ana")) == ["The journey is not live."]
    assert said(call(live, root, chosen)) == ["The journey is not live."]
    assert Event.objects.filter(name=CALLED).count() == 0


# --- who may, and for how long it is kept --------------------------------------------------------------------


def test_who_does_not_read_personal_data_is_told_in_tens_and_takes_nothing_home(live: Stage, root: Client) -> None:
    masked = client_of(marketer("masked", live.brand, "view_brand", "change_brand"))
    chosen = look(live, root, "ana\nivo")
    answer = masked.get(page(live), {"show": str(chosen.pk)})
    shown = answer.context["shown"]
    assert (shown["lines"], shown["known"], shown["let_in"]) == ("fewer than 10",) * 3
    assert (shown["refused"], list(shown["faulty"])) == ([("no consent", "fewer than 10")], [])
    assert masked.get(page(live), {"show": str(chosen.pk), "file": "1"}).status_code == 403
    reader = client_of(marketer("reader", live.brand, "view_brand", "change_brand", "view_pii"))
    assert reader.get(page(live), {"show": str(chosen.pk)}).context["shown"]["known"] == "2"


def test_who_does_not_read_personal_data_hands_in_nothing_and_calls_nobody(live: Stage, root: Client) -> None:
    """Nine who are known and one who may be: what comes of ten tells of the one."""
    masked = client_of(marketer("masked", live.brand, "view_brand", "change_brand"))
    assert masked.post(page(live), {"do": "hand_in", "kind": "user_id", "people": "ana"}).status_code == 403
    assert CallList.objects.count() == 0
    chosen = look(live, root, "ana")
    assert masked.post(page(live), {"do": "call", "list": str(chosen.pk)}).status_code == 403
    assert Event.objects.filter(name=CALLED).count() == 0
    assert "Look at it" not in masked.get(page(live)).content.decode()


def test_strangers_and_other_journeys_find_no_list(live: Stage, root: Client) -> None:
    chosen = look(live, root, "ana")
    stranger = client_of(marketer("stranger", Brand.objects.create(key="b", name="B"), "view_brand", "change_brand"))
    assert stranger.get(page(live), {"show": str(chosen.pk)}).status_code == 404
    live.publish(welcome(), "other")
    elsewhere = reverse("admin:journeys_journey_people", args=[live.journeys["other"].pk])
    assert root.get(elsewhere, {"show": str(chosen.pk)}).status_code == 404
    assert root.get(page(live), {"show": "nothing"}).status_code == 404
    assert root.post(page(live), {"do": "nothing"}).status_code == 404


def test_its_lines_are_kept_for_a_month_and_what_came_of_it_stays(live: Stage, root: Client) -> None:
    chosen = look(live, root, "ana")
    retain(live.now + timedelta(days=29))
    assert CallListRow.objects.count() == 1
    retain(live.now + timedelta(days=31))
    assert CallListRow.objects.count() == 0
    chosen.refresh_from_db()
    assert chosen.found == {"known": 1}


def test_lines_are_a_store_of_personal_data() -> None:
    (store,) = (one for one in stores.stores() if one.key == "call_lists")
    assert [table.model for table in store.tables] == [CallListRow]
    assert (store.kept, store.is_exported) == ("call_lists", True)


# --- a look before a segment is called -----------------------------------------------------------------------


def test_what_a_call_of_a_segment_would_come_to_is_told_with_nothing_done(stage: Stage, root: Client) -> None:
    for user, granted in (("ana", True), ("bia", True), ("ivo", False)):
        stage.know(user, granted=granted, plan="gold")
    make_segment(stage, GOLD)
    stage.publish(welcome())
    before = Event.objects.count()
    answer = root.post(page(stage, "status"), {"do": "preview", "segment": "vip"}, follow=True)
    assert said(answer) == ["It is being looked at; nobody is called yet."]
    build_all(stage.now)
    stage.run()
    (told,) = root.get(page(stage, "status")).context["previews"]
    assert (told.job.state, told.job.done, told.let_in, told.refused) == ("done", 3, 2, [("no consent", 1)])
    assert (Run.objects.count(), EntryRefusal.objects.count(), Event.objects.count()) == (0, 0, before)
    masked = client_of(marketer("masked", stage.brand, "view_brand", "change_brand"))
    (told,) = masked.get(page(stage, "status")).context["previews"]
    assert (told.let_in_words, told.refused_words) == ("fewer than 10", [("no consent", "fewer than 10")])


def test_a_look_and_the_call_come_to_the_same(stage: Stage, root: Client) -> None:
    """Of those who would be refused by each reason that a look can know, at once."""
    stage.publish(
        welcome(
            entry={"event": "customer.signed_up", "exclude": "vip", "reentry": "never",
                   "rule": {"leaf": "attribute", "name": "city", "op": "ne", "value": "Recife"}},
        )
    ) if make_segment(stage, GOLD) else None  # fmt: skip
    stage.know("gold", plan="gold", city="Natal")
    stage.know("there", city="Recife")
    stage.know("fine", city="Natal")
    stage.know("no", granted=False, city="Natal")
    chosen = look(stage, root, "gold\nthere\nfine\nno")
    call(stage, root, chosen)
    (came,) = [root.get(page(stage), {"show": str(chosen.pk)}).context["shown"]["came"]]
    looked = dict(chosen.reasons)
    assert looked.pop("let_in") == came.let_in == 1
    told = dict(EntryRefusal.objects.values_list("reason", "id"))
    assert looked == dict.fromkeys(told, 1)
    assert set(told) == {"excluded", "rule_not_met", "no_consent"}


def test_a_look_asks_the_same_number_of_times_however_many_they_are(
    live: Stage, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[int]()
    real = foretell_module.foretell

    def counting(*arguments: Any) -> list[str]:
        asked.append(len(arguments[3]))
        return real(*arguments)

    monkeypatch.setattr(previews, "foretell", counting)
    look(live, root, "ana\nbia\nivo\neva")
    assert asked == [4]
