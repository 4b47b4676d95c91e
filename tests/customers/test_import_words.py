"""Every reason for which a row may be refused has words of its own, in both languages."""

import re
from pathlib import Path

import pytest
from django.utils.translation import override

from customers.imports.refuse import FAULTS
from customers.imports.words import WORDS, words_of

ROOT = Path(__file__).resolve().parents[2] / "customers"
# Whoever refuses a row: acceptance in our own dialect, and the schemes of identifiers.
REFUSING = [
    *(
        ROOT / "accept" / f"{name}.py"
        for name in ("native", "fields", "timestamps", "strict_json", "schemas", "erased")
    ),
    *(ROOT / "identifiers").rglob("*.py"),
]
_CODE = re.compile(r"""(?:Refused|Refusal|IdentifierError)\(\s*"([a-z_]+)",""")


def codes() -> set[str]:
    return {code for path in REFUSING for code in _CODE.findall(path.read_text())}


def test_every_code_has_words() -> None:
    found = codes() | set(FAULTS)
    assert {"too_old", "blocked_identifier", "phone_invalid", "schema_violation", "broken_quotes"} <= found
    assert sorted(found - set(WORDS)) == []


@pytest.mark.parametrize("code", sorted(WORDS))
def test_the_words_are_another_language_s_in_portuguese(code: str) -> None:
    with override("en"):
        english = words_of(code, "said", "done")
    with override("pt-br"):
        portuguese = words_of(code, "said", "done")
    assert english[0] != portuguese[0]
    assert "%(" not in " ".join(english + portuguese)


def test_what_has_no_words_is_told_as_its_door_said_it() -> None:
    assert words_of("made_up", "So it was.", "Do so.") == ("So it was.", "Do so.")


def test_what_a_schema_said_stands_beside_the_words() -> None:
    said, to_do = words_of("schema_violation", "5 is not a string", "")
    assert said == "It does not fit the schema of its event type."
    assert to_do.endswith("5 is not a string")
