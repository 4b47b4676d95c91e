"""`import_csv`: the same import by a command, with its mapping in a file."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import Brand, Import, InboxItem, Source
from tests.customers.importing import ORDERS, lines

pytestmark = pytest.mark.django_db


def call(folder: Path, text: str, *more: str, mapping: Any = ORDERS) -> str:
    (folder / "rows.csv").write_text(text)
    (folder / "map.json").write_text(json.dumps(mapping))
    out = StringIO()
    asked = ["--source", "shop", "--map", str(folder / "map.json"), *more]
    call_command("import_csv", str(folder / "rows.csv"), *asked, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_it_imports_and_says_what_came_of_the_rows(source: Source, tmp_path: Path) -> None:
    text = "".join(lines(3)) + "c9,never,1\n"
    refused = tmp_path / "refused.csv"
    assert call(tmp_path, text, "--refused", str(refused)) == "accepted 3  duplicates 0  rejected 1"
    assert refused.read_text("utf-8-sig").splitlines()[1].endswith('"c9","never","1"')
    assert call(tmp_path, text) == "accepted 0  duplicates 3  rejected 1"
    assert InboxItem.objects.count() == 3


def test_it_may_be_told_how_the_file_is_read(source: Source, tmp_path: Path) -> None:
    rule = {"key": "c", "type": "identify", "identifiers": {"user_id": "/Column 1"}}
    options = ("--rows", "customers", "--no-header", "--delimiter", "|")
    assert call(tmp_path, "a|x;y\nb|z;w\n", *options, mapping={"events": [rule]}).startswith("accepted 2")


def test_78_a_customer_in_a_zone_that_nobody_knows_is_refused_with_its_row(source: Source, tmp_path: Path) -> None:
    rule = {"key": "c", "type": "identify", "identifiers": {"user_id": "/id"}, "traits": {"timezone": "/zone"}}
    refused = tmp_path / "refused.csv"
    options = ("--rows", "customers", "--refused", str(refused))
    told = call(tmp_path, "id,zone\na,America/Recife\nb,Brasilia\n", *options, mapping={"events": [rule]})
    assert told == "accepted 1  duplicates 0  rejected 1"
    assert "There is no such time zone." in refused.read_text("utf-8-sig")


@pytest.mark.parametrize(
    ("text", "mapping", "words"),
    [
        ("", ORDERS, "The file is empty"),
        ("customer,when,total\nc1,x,1\n", {"events": []}, "no_events"),
        ("customer,when\nc1,x\n", ORDERS, "no such columns: /total"),
    ],
)
def test_what_stands_in_the_way_is_said_and_no_file_stays(
    source: Source, tmp_path: Path, text: str, mapping: Any, words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        call(tmp_path, text, mapping=mapping)
    assert Import.objects.count() == 0


def test_a_source_that_two_brands_have_is_named_with_its_brand(source: Source, tmp_path: Path) -> None:
    Source.objects.create(brand=Brand.objects.create(key="other", name="Other"), key="shop", name="Shop")
    with pytest.raises(CommandError, match="several brands"):
        call(tmp_path, "".join(lines(1)))
    assert call(tmp_path, "".join(lines(1)), "--brand", "acme").startswith("accepted 1")
