"""The pages of imports: a file is handed in, looked at, mapped, begun and accounted for, by whoever may."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers import jobs
from customers.models import AuditEntry, Brand, Import, ImportChunk, InboxItem, Job, RefusedRow, Source
from customers.resolve import resolve_inbox
from tests.customers.importing import NOW, hand_in, lines, orders, run

pytestmark = pytest.mark.django_db

PEOPLE = "e-mail;cidade;total\nana@example.com;São Paulo;1.234,50\nbia@example.com;Bauru;20,00\n"
ORDERS = "cliente,data,valor,pedido\nc1,31/01/2026,10.50,o1\nc2,01/02/2026,1,o2\nc3,30/02/2026,2,o3\n"


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def staff(source: Source) -> Client:
    """A marketer who sees the brand and reads its personal data."""
    return client_of(marketer("ana", source.brand, "view_brand", "view_pii"))


def marketer(name: str, brand: Brand, *rights: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name="marketer"))
    for right in rights:
        assign_perm(right, user, brand)
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def hand(client: Client, source: Source, text: str | bytes, rows: str = "events") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    sent = {"source": str(source.pk), "rows": rows, "file": SimpleUploadedFile("rows.csv", data)}
    return client.post(reverse("admin:customers_import_add"), sent)


def page_of(parent: Import) -> str:
    return reverse("admin:customers_import_change", args=[parent.pk])


def form_of(answer: Any) -> dict[str, Any]:
    """The mapping's form as the page offers it."""
    told = answer.context["choices"]
    sent = {"zone": told.zone, "decimal": told.decimal, "event": told.event, "currency": told.currency}
    if told.historical:
        sent["historical"] = "on"
    for number, column in enumerate(told.columns):
        sent |= {
            f"to-{number}": column.to,
            f"name-{number}": column.name,
            f"as-{number}": column.as_,
            f"format-{number}": column.format,
        }
    return sent


def test_a_file_is_handed_in_mapped_and_imported(staff: Client, source: Source) -> None:
    answer = hand(staff, source, ORDERS)
    parent = Import.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, page_of(parent))
    assert (parent.file_name, parent.delimiter, parent.columns) == (
        "rows.csv",
        ",",
        ["cliente", "data", "valor", "pedido"],
    )
    shown = staff.get(page_of(parent))
    assert InboxItem.objects.count() == 0
    assert [(column.to, column.name, column.as_, column.format) for column in shown.context["choices"].columns] == [
        ("identifier:user_id", "", "text", "iso"),
        ("occurred_at", "", "text", "%d/%m/%Y"),
        ("property", "valor", "money", "iso"),
        ("property", "pedido", "text", "iso"),
    ]
    form = form_of(shown) | {"event": "Order Completed"}
    tried = staff.post(page_of(parent), {**form, "do": "map"}, follow=True)
    assert [one["refusal"].code if one["refusal"] else "" for one in tried.context["preview"]] == ["", "", "not_a_time"]
    assert InboxItem.objects.count() == 0

    begun = staff.post(page_of(parent), {**form, "do": "begin"}, follow=True)
    assert b"waiting" in begun.content
    jobs.work_on(lambda: NOW, seconds=60)
    done = staff.get(page_of(parent))
    assert done.context["numbers"] == {"accepted": 2, "duplicates": 0, "rejected": 1}
    assert (done.context["percent"], done.context["is_over"]) == (100, True)
    assert InboxItem.objects.order_by("id").first().payload == (  # type: ignore[union-attr]  # there are two
        '{"properties":{"currency":"USD","pedido":"o1","valor":1050}}'
    )
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["add", "import"]


def test_what_brazil_writes_is_understood(staff: Client, source: Source) -> None:
    hand(staff, source, PEOPLE.encode("cp1252"), "customers")
    parent = Import.objects.get()
    assert (parent.encoding, parent.delimiter) == ("cp1252", ";")
    shown = staff.get(page_of(parent))
    choices = shown.context["choices"]
    assert [(column.to, column.name, column.as_) for column in choices.columns] == [
        ("identifier:email", "", "text"),
        ("trait", "cidade", "text"),
        ("trait", "total", "number"),
    ]
    assert choices.decimal == ","
    assert "São Paulo" in shown.content.decode()
    staff.post(page_of(parent), {**form_of(shown), "do": "begin"})
    jobs.work_on(lambda: NOW, seconds=60)
    assert [item.payload for item in InboxItem.objects.order_by("id")] == [
        '{"traits":{"cidade":"São Paulo","total":1234.5}}',
        '{"traits":{"cidade":"Bauru","total":20}}',
    ]


def test_a_file_may_be_read_otherwise_than_it_looks(staff: Client, source: Source) -> None:
    parent = hand_in(source, "a|b;c\n1|2;3\n", "customers")
    staff.post(page_of(parent), {"do": "read", "encoding": "utf-8", "delimiter": "|"})
    parent.refresh_from_db()
    assert (parent.columns, parent.has_header) == (["Column 1", "Column 2"], False)


def test_what_stands_in_the_way_is_said_and_nothing_begins(staff: Client, source: Source) -> None:
    parent = hand_in(source, ORDERS)
    form = form_of(staff.get(page_of(parent)))
    answer = staff.post(page_of(parent), {**form, "do": "begin"})
    assert (answer.status_code, Job.objects.count()) == (422, 0)
    assert any("An event needs a name." in one for one in answer.context["problems"])
    answer = staff.post(page_of(parent), {**form, "event": "Order", "to-1": "ignore", "do": "begin"})
    assert any("Events need their time" in one for one in answer.context["problems"])
    twice = {**form, "event": "Order", "name-2": "pedido", "do": "begin"}
    assert any(
        "Two columns are to become pedido" in one for one in staff.post(page_of(parent), twice).context["problems"]
    )
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    "change", [{"to-0": "identifier:nothing"}, {"to-0": "<b>"}, {"as-0": "x"}, {"zone": "Mars"}, {"decimal": "!"}]
)
def test_no_choice_but_those_offered_is_taken(staff: Client, source: Source, change: dict[str, str]) -> None:
    parent = hand_in(source, "email,x\na@example.com,1\n", "customers")
    form = form_of(staff.get(page_of(parent))) | {"to-1": "trait", "name-1": "x", "as-1": "time"}
    answer = staff.post(page_of(parent), {**form, **change, "do": "begin"})
    assert Job.objects.count() == 0
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04", "packed file or a workbook"),
        (",".join(["c"] * 5000).encode(), "5000 columns"),
        (b'"a,b\n1,2\n', "first row cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(staff: Client, source: Source, data: bytes, words: str) -> None:
    answer = hand(staff, source, data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert (Import.objects.count(), ImportChunk.objects.count()) == (0, 0)


@override_settings(IMPORT_MAX_BYTES=1000)
def test_a_file_that_is_too_large_is_refused_before_it_is_read(staff: Client, source: Source) -> None:
    answer = staff.generic(
        "POST",
        reverse("admin:customers_import_add"),
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(2 << 30),
    )
    assert answer.status_code == 413
    assert "larger than 1000 B" in answer.content.decode()


def test_handing_in_needs_the_token_of_the_form(source: Source) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(marketer("ana", source.brand, "view_brand"))
    assert hand(client, source, ORDERS).status_code == 403
    assert ImportChunk.objects.count() == 0


def test_the_progress_comes_by_itself(staff: Client, source: Source) -> None:
    parent = orders(source, "customer,when,total\nc1,2026-01-01T10:00:00Z,1\n")
    run(parent)
    part = staff.get(page_of(parent), {"part": "progress"}).content.decode()
    assert 'data-over="yes"' in part
    assert "<html" not in part


def test_an_import_is_stopped_and_gone_on_with(staff: Client, source: Source) -> None:
    parent = hand_in(source, ORDERS)
    form = form_of(staff.get(page_of(parent))) | {"event": "Order"}
    staff.post(page_of(parent), {**form, "do": "begin"})
    staff.post(page_of(parent), {"do": "stop"})
    jobs.work_on(lambda: NOW, seconds=60)
    assert (Job.objects.get().state, InboxItem.objects.count()) == ("cancelled", 0)
    staff.post(page_of(parent), {"do": "go_on"})
    jobs.work_on(lambda: NOW, seconds=60)
    assert InboxItem.objects.count() == 2
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["import", "stop", "import"]


def test_a_file_is_removed_when_somebody_says_so(staff: Client, source: Source) -> None:
    parent = hand_in(source, ORDERS)
    staff.post(page_of(parent), {"do": "remove"})
    assert ImportChunk.objects.count() == 0
    assert b"The file was removed" in staff.get(page_of(parent)).content


def test_refused_rows_are_downloaded(staff: Client, source: Source) -> None:
    parent = orders(source, "customer,when,total\n=c1,never,1\n")
    run(parent)
    answer = staff.get(reverse("admin:customers_import_refused", args=[parent.pk]))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="refused.csv"'
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # it streams
    assert text.splitlines()[1].startswith('"2","not_a_time",')
    assert text.splitlines()[1].endswith('"\'=c1","never","1"')
    assert AuditEntry.objects.get().action == "export"


def test_who_may_not_read_personal_data_sees_masks(source: Source) -> None:
    client = client_of(marketer("bia", source.brand, "view_brand"))
    parent = hand_in(source, "email,city\nsecret@example.com,Lins\n", "customers")
    assert "secret@" not in client.get(page_of(parent)).content.decode()
    RefusedRow.objects.create(parent=parent, row=2, code="x", message="m", cells=["secret@example.com", "Lins"])
    answer = client.get(reverse("admin:customers_import_refused", args=[parent.pk]))
    assert b"secret" not in b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # it streams


def test_nobody_imports_into_another_brand(source: Source, staff: Client) -> None:
    other = Brand.objects.create(key="other", name="Other")
    theirs = Source.objects.create(brand=other, key="till", name="Till")
    assert hand(staff, theirs, ORDERS).status_code == 422
    parent = hand_in(theirs, ORDERS)
    for do in ("begin", "stop", "remove", "map", "read"):
        assert staff.post(page_of(parent), {"do": do}).status_code in (302, 403)
    assert staff.get(page_of(parent)).status_code == 302
    assert staff.get(reverse("admin:customers_import_refused", args=[parent.pk])).status_code == 302
    assert (Job.objects.count(), ImportChunk.objects.count()) == (0, 1)


def test_who_only_looks_begins_nothing(source: Source) -> None:
    user = User.objects.create_user("eva", is_staff=True)
    user.groups.add(Group.objects.get(name="squad member"))
    assign_perm("view_brand", user, source.brand)
    client, parent = client_of(user), hand_in(source, ORDERS)
    assert client.get(page_of(parent)).status_code == 200
    assert client.post(page_of(parent), {"do": "begin"}).status_code == 403
    assert hand(client, source, ORDERS).status_code == 403
    assert Import.objects.count() == 1


def test_reasons_are_told_in_the_language_of_who_reads(staff: Client, source: Source) -> None:
    parent = orders(source, "customer,when,total\nc1,never,1\nnull,2026-01-01T10:00:00Z,1\n")
    run(parent)
    page = staff.get(page_of(parent), headers={"Accept-Language": "pt-BR"}).content.decode()
    assert "Um valor de preenchimento, que não é ninguém." in page
    assert "O valor não é um momento nesta forma." in page
    assert "A placeholder" not in page
    english = staff.get(page_of(parent), headers={"Accept-Language": "en"}).content.decode()
    assert "A placeholder that stands for nobody." in english
    file = reverse("admin:customers_import_refused", args=[parent.pk])
    answer = staff.get(file, headers={"Accept-Language": "pt-BR"})
    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]  # it streams
    assert rows[2].startswith('"3","blocked_identifier","Um valor de preenchimento, que não é ninguém.","Deixe')
    # What is kept is what was said when it was refused.
    assert RefusedRow.objects.get(row=3).message == "A placeholder that stands for nobody."


def test_what_yet_waits_is_this_import_s_alone(staff: Client, source: Source) -> None:
    for number in range(2):
        InboxItem.objects.create(
            source=source, received_at=NOW - timedelta(seconds=1), message_id=f"m-{number}", kind="track", name="Seen",
            occurred_at=NOW, identifiers='[["user_id", "u-1", "u-1"]]', identifier_keys=[], payload="{}",
        )  # fmt: skip
    parent = orders(source, "".join(lines(3)))
    run(parent)
    assert (InboxItem.objects.count(), staff.get(page_of(parent)).context["queued"]) == (5, 3)
    other = orders(source, "".join(lines(4, start=10)))
    run(other, NOW + timedelta(seconds=1))
    assert [staff.get(page_of(one)).context["queued"] for one in (parent, other)] == [3, 4]
    resolve_inbox(NOW)
    assert staff.get(page_of(parent)).context["queued"] == 0
