"""The documents say what the code says: states, causes, reasons, tables and links."""

import re
from pathlib import Path

import pytest
from django.db import connection

from channels.models import Message, Reason
from journeys.models import Cause, EntryRefusal, Run

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
APPS = ("customers", "consent", "channels", "journeys")


def diagram(states_begin_with: str) -> set[str]:
    """The states of the diagram whose first state is this one."""
    for block in re.findall(r"stateDiagram-v2\n(.*?)```", ARCHITECTURE, re.DOTALL):
        arrows = re.findall(r"^ +(\S+) --> (\S+)", block, re.MULTILINE)
        if arrows[0] == ("[*]", states_begin_with):
            return {state for arrow in arrows for state in arrow} - {"[*]"}
    raise LookupError(states_begin_with)


def codes(heading: str) -> list[str]:
    """The codes in the first column of the table with this heading."""
    _before, _, after = ARCHITECTURE.partition(f"| {heading} |")
    rows = after.partition("\n\n")[0].splitlines()[2:]
    return [code for row in rows for code in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_the_diagram_of_messages_has_every_state() -> None:
    assert diagram("queued") == set(Message.State.values)


def test_the_diagram_of_runs_has_every_status() -> None:
    assert diagram("active") == {status.name.lower() for status in Run.Status}


def test_every_cause_is_explained_once() -> None:
    assert codes("cause of a transition") == [cause.name.lower() for cause in Cause]


def test_every_reason_of_a_message_is_explained_once() -> None:
    assert sorted(codes("reason")) == sorted(Reason.values)


def test_every_reason_of_a_refused_entry_is_explained_once() -> None:
    assert sorted(codes("refused entry")) == sorted(EntryRefusal.Reason.values)


def test_the_glossary_has_every_state_of_a_message() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    message = glossary.partition("- **Message** –")[2].partition("- **Reason**")[0]
    assert set(re.findall(r"(?<!\*)\*(\w+)\*(?!\*)", message)) == set(Message.State.values)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_named_exists(document: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(APPS)}|config|analytics)/[\w/.]+)`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.django_db
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_table_named_exists(document: Path) -> None:
    named = set(re.findall(rf"`((?:{'|'.join(APPS)})_[a-z_]+)\b", document.read_text()))
    assert named - set(Reason.values) - set(connection.introspection.table_names()) == set()
