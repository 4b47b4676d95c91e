"""Which of the languages that words were written in comes closest to the one somebody reads."""

from collections.abc import Iterable


def closest(written: Iterable[str], *wanted: str) -> str | None:
    """pt-BR → pt → the next one wanted → … → any, by name; None where nothing was written."""
    spelled = {folded(locale): locale for locale in written}
    for locale in wanted:
        for shorter in chain(locale):
            if shorter in spelled:
                return spelled[shorter]
    return spelled[min(spelled)] if spelled else None


def chain(locale: str) -> list[str]:
    """pt-BR → pt."""
    parts = folded(locale).split("-") if locale else []
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def folded(locale: str) -> str:
    return locale.lower().replace("_", "-")
