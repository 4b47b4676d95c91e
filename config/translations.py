"""`python -m config.translations [--check]`: compile the message catalogues without gettext's programs."""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def main(arguments: list[str]) -> int:
    faults = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parts[-3], abort_invalid=True)
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        faults += [f"{source.relative_to(LOCALE)}: {fault}" for fault in incomplete(catalog)]
    if "--check" not in arguments:
        return 0
    print("\n".join(faults) or "translations are complete")
    return 1 if faults else 0


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
