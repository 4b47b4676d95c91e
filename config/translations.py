"""`python -m config.translations [--check|--update]`: message catalogues without gettext's programs.

Without an option they are compiled; `--check` also names what a reader would miss; `--update` takes up the
texts that the sources have now, for somebody to translate.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from config import strings

LOCALE = Path(__file__).resolve().parent.parent / "locale"

# Babel's own header tells the time of each update, so that no two are alike.
_HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: trilha\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms};\\n"

"""


def main(arguments: list[str]) -> int:
    sources = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))
    if "--update" in arguments:
        update(sources)
    faults = []
    for source in sources:
        catalog = read(source)
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        if "--check" in arguments:
            problems = [*incomplete(catalog), *unlike(catalog, strings.collect())]
            faults += [f"{source.relative_to(LOCALE)}: {problem}" for problem in problems]
    if "--check" not in arguments:
        return 0
    print("\n".join(faults) or "translations are complete")
    return 1 if faults else 0


def read(source: Path) -> Catalog:
    with source.open("rb") as file:
        return read_po(file, locale=source.parts[-3], abort_invalid=True)


def update(sources: list[Path]) -> None:
    """Add what is new, drop what is gone, keep what is translated."""
    found = strings.collect()
    for source in sources:
        catalog = read(source)
        catalog.update(found, no_fuzzy_matching=True, update_header_comment=False)
        header = _HEADER.format(language=source.parts[-3], plural_forms=catalog.plural_forms.rstrip(";"))
        with source.open("wb") as file:
            file.write(header.encode())
            write_po(file, catalog, width=110, omit_header=True, ignore_obsolete=True, sort_output=True)


def incomplete(catalog: Catalog) -> Iterator[str]:
    """What a reader would miss: texts that are missing, unsure, or lose a placeholder."""
    for message in catalog:
        if not message.id:
            continue
        # One text, or one for each plural form.
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if not all(texts):
            yield f"no translation of {message.id!r}"
        elif message.fuzzy:
            yield f"unsure translation of {message.id!r}"
        else:
            yield from (f"{error} in {message.id!r}" for error in message.check(catalog))


def unlike(catalog: Catalog, found: Catalog) -> Iterator[str]:
    """Texts that the sources have and the catalogue has not, or the other way round."""
    listed, used = ({_key(message) for message in one if message.id} for one in (catalog, found))
    yield from (f"not in the catalogue: {text!r}" for _context, text in sorted(used - listed))
    yield from (f"no longer in the sources: {text!r}" for _context, text in sorted(listed - used))


def _key(message: Message) -> tuple[str, str]:
    return message.context or "", message.id if isinstance(message.id, str) else message.id[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
