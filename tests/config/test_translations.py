"""Catalogues are compiled in Python and must leave nothing out."""

from pathlib import Path

import pytest
import unfold
from babel.messages.catalog import Catalog
from django.utils.translation import gettext, override

from config import borrowed, strings, translations


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


def test_marked_texts_are_found_in_python_and_in_templates(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "models.py").write_text(
        'label = _("one " "text")\nkind = pgettext_lazy("event", "cancelled")\n'
        'ngettext_lazy("%(n)s run", "%(n)s runs", n)\nplain("not marked")\n'
    )
    (tmp_path / "app" / "page.html").write_text(
        "{% load i18n %}\n  <p>{% translate 'Hello' %}\n"
        "{% blocktranslate trimmed %}\n    Dear\n    {{ name }}\n{% endblocktranslate %} not marked"
    )
    found = strings.collect(tmp_path, ("app",))
    assert {(message.context, message.id) for message in found if message.id} == {
        (None, "one text"),
        ("event", "cancelled"),
        (None, ("%(n)s run", "%(n)s runs")),
        (None, "Hello"),
        (None, "Dear %(name)s"),
    }


def test_a_catalogue_unlike_the_sources_is_named() -> None:
    listed, used = Catalog(locale="pt_BR"), Catalog()
    listed.add("old", "velho")
    listed.add("both", "ambos")
    used.add("both")
    used.add("new")
    assert list(translations.unlike(listed, used)) == [
        "not in the catalogue: 'new'",
        "no longer in the sources: 'old'",
    ]


def test_an_update_keeps_what_is_translated_and_drops_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "pt_BR" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid "kept"\nmsgstr "mantido"\n\nmsgid "gone"\nmsgstr "ido"\n')
    used = Catalog()
    used.add("kept")
    used.add("keep")
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    monkeypatch.setattr(strings, "collect", lambda: used)
    translations.main(["--update"])
    once = source.read_text()
    assert [(m.id, m.string) for m in translations.read(source) if m.id] == [("keep", ""), ("kept", "mantido")]
    translations.main(["--update"])
    assert source.read_text() == once


def test_borrowed_texts_are_still_those_of_the_packages_that_show_them(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "borrowed.py").write_text(Path(borrowed.__file__).read_text())
    ours = {message.id for message in strings.collect(tmp_path, ("config",)) if message.id}
    theirs = strings.collect(Path(unfold.__file__).parent.parent, ("unfold", "django_celery_beat"))
    assert len(ours) == len(borrowed.UNFOLD) + len(borrowed.SCHEDULE)
    assert ours - {message.id for message in theirs} == set()


def test_what_unfold_does_not_translate_is_ours_to_say() -> None:
    with override("pt-br"):
        assert gettext("Select action to run") == "Selecione a ação a executar"
        assert gettext("periodic tasks") == "tarefas periódicas"
