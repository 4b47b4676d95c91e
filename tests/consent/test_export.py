"""What is held of a person, handed out: exactly that, and nothing of anybody else."""

import json
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from consent.models import PrivacyArchive, PrivacyRequest
from consent.privacy import carry_out, erasure, export, requests
from consent.privacy.readable import Cell, _cell
from consent.privacy.requests import Asking
from customers import jobs
from customers.ids import new_id
from customers.models import Hook, QuarantinedEvent, ReceivedBody
from customers.privacy.stores import stores
from customers.privacy.words import WORDS
from tests.consent.marked import Marked, leave_waiting, lie_about, live_through
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db

ANA, BIA = Marked("mkana7q"), Marked("mkbia7q")


@pytest.fixture
def stage() -> Stage:
    stage = make_stage()
    stage.publish(welcome())
    for one in (ANA, BIA):
        live_through(stage, one)
    for one in (ANA, BIA):
        lie_about(stage, one)
        leave_waiting(stage, one)
    return stage


def asked(stage: Stage, one: Marked = ANA) -> PrivacyRequest:
    names = requests.naming("email", one.email, [], stage.now)
    asking = Asking(brand=stage.brand, kind="access", law="gdpr", channel="form", names=names, assurance=3)
    return requests.take_down(asking, stage.now)


def file_of(stage: Stage, request: PrivacyRequest) -> dict[str, str]:
    export.ask(request, stage.now, None)
    jobs.work_on(lambda: stage.now, 2)
    archive = PrivacyArchive.objects.get(request=request)
    with ZipFile(BytesIO(export.opened(archive, stage.now))) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def rows(files: dict[str, str], store: str, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files[f"{store}.json"])["tables"][table]
    return found


def test_everything_that_is_held_is_told_and_nothing_of_others(stage: Stage) -> None:
    files = file_of(stage, asked(stage))
    assert set(files) == {"manifest.json", "index.en.html", "index.pt-br.html"} | {
        f"{store.key}.json" for store in stores() if store.is_exported
    }
    text = "".join(files.values())
    assert BIA.stem not in text
    told = {"user", "mail", "note", "url", "ip", "cart", "gift", "subject", "body", "context", "detail", "raw", "cell",
            "dead", "waits"}  # fmt: skip
    assert {what for what in told if ANA(what) not in text} == set()


def test_rows_are_those_of_the_database(stage: Stage) -> None:
    files = file_of(stage, asked(stage))
    assert sorted(one["name"] for one in rows(files, "events", "event")) == [
        "consent.granted", "customer.signed_up", "identify"
    ]  # fmt: skip
    assert {one["value"] for one in rows(files, "people", "identifier")} == {ANA.user, ANA.email}
    assert {one["name"]: one["value"] for one in rows(files, "traits", "trait")} == {
        "email": ANA.email, "note": ANA("note")
    }  # fmt: skip
    assert [one["variables"]["cart"] for one in rows(files, "runs", "runcontext")] == [ANA("cart")]
    [message] = rows(files, "messages", "message")
    assert (message["subject"], message["address"]) == (ANA("subject"), ANA.email)
    [entry] = rows(files, "consent", "consententry")
    assert (entry["state"], entry["evidence"]["ip"]) == ("given", ANA("ip"))


def test_of_a_body_that_tells_of_several_only_their_part_is_told(stage: Stage) -> None:
    hook = Hook.objects.get()
    batch = {"sent_by": "till", "people": [{"email": one.email, "said": one("batch")} for one in (ANA, BIA)]}
    ReceivedBody.objects.create(
        hook=hook, received_at=stage.now, key=new_id(), digest=new_id(), content_type="application/json",
        body=json.dumps(batch).encode(), status="done",
    )  # fmt: skip
    files = file_of(stage, asked(stage))
    last = rows(files, "webhooks", "receivedbody")[-1]["content"]
    assert last == {"sent_by": "till", "people": [{"email": ANA.email, "said": ANA("batch")}]}
    assert BIA.stem not in "".join(files.values())


def test_whoever_is_called_almost_the_same_is_not_told_of(stage: Stage) -> None:
    for email in (f"x{ANA.email}", f"{ANA.email}.br"):
        raw = json.dumps({"traits": {"email": email, "said": "cherimoya"}})
        QuarantinedEvent.objects.create(
            received_at=stage.now, source=stage.source, door="segment", code="wrong_type", raw=raw
        )
    people = [{"email": one, "said": one} for one in (ANA.email, f"x{ANA.email}")]
    ReceivedBody.objects.create(
        hook=Hook.objects.get(), received_at=stage.now, key=new_id(), digest=new_id(), content_type="application/json",
        body=json.dumps({"people": people}).encode(), status="done",
    )  # fmt: skip
    files = file_of(stage, asked(stage))
    assert "cherimoya" not in "".join(files.values())
    assert f"x{ANA.email}" not in "".join(files.values())
    assert rows(files, "webhooks", "receivedbody")[-1]["content"] == {
        "people": [{"email": ANA.email, "said": ANA.email}]
    }


def test_others_whom_they_named_are_masked(stage: Stage) -> None:
    friend = {"email": BIA.email, "called": BIA("called")}
    stage.happen(
        "friend.invited", ANA.user, properties={"friend": friend, "to": f"for {BIA.email}", "id": BIA.user, "n": 3}
    )
    files = file_of(stage, asked(stage))
    [invited] = [one for one in rows(files, "events", "event") if one["name"] == "friend.invited"]
    assert invited["content"]["properties"] == {
        "friend": {"email": "•••", "called": "•••"}, "to": "for •••", "id": "•••", "n": 3
    }  # fmt: skip


def test_the_page_is_in_both_languages(stage: Stage) -> None:
    files = file_of(stage, asked(stage))
    assert '<html lang="en">' in files["index.en.html"]
    assert "What we hold of you" in files["index.en.html"]
    assert '<html lang="pt-BR">' in files["index.pt-br.html"]
    assert "What we hold of you" not in files["index.pt-br.html"]
    names = {name.removesuffix("_base64") for store in stores() for table in store.tables for name in table.shown}
    assert names == set(WORDS)


def test_the_page_tells_times_of_the_brands_zone_and_states_in_words(stage: Stage) -> None:
    stage.brand.zone = "Australia/Perth"
    stage.brand.save()
    files = file_of(stage, asked(stage))
    [head] = rows(files, "consent", "consenthead")[:1]
    at = datetime.fromisoformat(head["effective_at"]).astimezone(ZoneInfo("Australia/Perth"))
    assert head["state"] == "given"
    for language, written in (("en", f"{at:%m/%d/%Y}"), ("pt-br", f"{at:%d/%m/%Y}")):
        page = files[f"index.{language}.html"]
        assert written in page
        assert head["effective_at"] not in page
        assert "Australia/Perth" in page
    assert "<td>given</td>" in files["index.en.html"]
    assert "<td>concedido</td>" in files["index.pt-br.html"]


def test_the_page_tells_apart_what_is_held_and_what_is_not(stage: Stage) -> None:
    files = file_of(stage, asked(stage))
    counts = {key: one["rows"] for key, one in json.loads(files["manifest.json"])["stores"].items()}
    assert 0 in counts.values()
    page = files["index.en.html"]
    held = {key for key in counts if f'<h2 id="{key}">' in page}
    assert held == {key for key, count in counts.items() if count}
    nothing = page[page.index('<h2 id="nothing">') :]
    assert nothing.count("<strong>") == sum(not count for count in counts.values())


def test_letters_are_told_as_words_and_documents_by_their_parts(stage: Stage) -> None:
    letter = "<!doctype html><html><head><style>p {}</style></head><body><p>Hi  Ana</p><p>Bye<br>now &lt;3</p></body>"
    name = "seen"
    shown = _cell(name, letter)
    assert shown.text == "Hi Ana\nBye\nnow <3"
    nested = _cell(name, {"a": {"b": None, "c": [1, 2]}, "d": [{"e": True}], "f": ""})
    assert nested.parts == (
        Cell("a", parts=(Cell("c", "1, 2"),)),
        Cell("d", parts=(Cell("1", parts=(Cell("e", "yes"),)),)),
    )
    assert _cell(name, "1 < 2 <b>bold</b>").text == "1 < 2 <b>bold</b>"


def test_the_file_is_sealed_and_goes_when_its_time_is_over(stage: Stage) -> None:
    request = asked(stage)
    file_of(stage, request)
    archive = PrivacyArchive.objects.get()
    assert ANA.stem.encode() not in bytes(archive.data)
    assert export.remove_old(stage.now) == 0
    stage.now += timedelta(days=14)
    with pytest.raises(export.NotThere):
        export.opened(archive, stage.now)
    assert export.remove_old(stage.now) == 1
    archive.refresh_from_db()
    assert (bytes(archive.data), archive.removed_at) == (b"", stage.now)
    carry_out.hand_over(request, stage.now, None)
    assert request.state == "done"


def test_an_erasure_takes_the_file_and_leaves_that_there_was_one(stage: Stage) -> None:
    file_of(stage, asked(stage))
    names = requests.naming("email", ANA.email, [], stage.now)
    asking = Asking(brand=stage.brand, kind="erasure", law="gdpr", channel="form", names=names, assurance=3)
    erasure.ask(requests.take_down(asking, stage.now), stage.now, None)
    for _turn in range(4):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)
    archive = PrivacyArchive.objects.get()
    assert bytes(archive.data) == b""
    assert archive.removed_at is not None
