"""Catalogues are compiled in Python and must leave nothing out."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from config import translations


def faults(string: str, *flags: str) -> list[str]:
    catalog = Catalog(locale="pt_BR")
    catalog.add("%(count)s people", string, flags=flags)
    return list(translations.incomplete(catalog))


def test_a_complete_catalogue_has_no_fault() -> None:
    assert faults("%(count)s pessoas", "python-format") == []


def test_missing_unsure_and_broken_translations_are_named() -> None:
    assert faults("") == ["no translation of '%(count)s people'"]
    assert faults("%(count)s pessoas", "fuzzy") == ["unsure translation of '%(count)s people'"]
    [fault] = faults("%(soma)s pessoas", "python-format")
    assert "%(count)s people" in fault


def test_a_catalogue_is_compiled_beside_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "pt_BR" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid "people"\nmsgstr "pessoas"\n\nmsgid "run"\nmsgstr ""\n')
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    assert translations.main([]) == 0
    assert b"pessoas" in source.with_suffix(".mo").read_bytes()
    assert translations.main(["--check"]) == 1
