"""Keywords that stop messages from a telephone, in whatever way people write them, and texts that are none."""

import pytest

from consent.keywords import HELP, START, STOP, Heard, Meaning, hear


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " stop.", "Stop!!!", "STOP\r\n", "“STOP”", "STOP ALL", "stop-all", "stop 🙏", "🛑 STOP 🛑",
        "\uff33\uff34\uff2f\uff30", "st\u200bop", "STOP\ufe0f", "PARAR", "parar.",
        "SAIR", "Sair!", "CANCELAR", "ARRET", "arrêt", "Arrêt.",
        "ARRE\u0302T", "desabonner", "baja", "STOPP", "Opt-out",
    ],
)  # fmt: skip
def test_a_keyword_alone_stops(text: str) -> None:
    assert hear(text).meaning == Meaning.STOP


@pytest.mark.parametrize(
    "text",
    [
        "please stop sending me this", "Don't stop!", "não quero parar", "quero cancelar o pedido 123", "STOP it now",
        "sair de casa às 8", "STOP 12",
    ],
)  # fmt: skip
def test_other_words_around_it_change_nothing_and_suggest(text: str) -> None:
    assert hear(text) == Heard(None, Meaning.STOP)


@pytest.mark.parametrize(
    "text", ["", " ", "👍", "...", "Where is my order?", "STOPPED", "unstoppable", "paradise", "\0"]
)
def test_what_is_no_keyword_is_left_to_a_person(text: str) -> None:
    assert hear(text) == Heard(None, None)


@pytest.mark.parametrize(
    ("text", "language", "heard"),
    [
        ("START", "", Heard(Meaning.START, language="en")),
        ("Sim", "pt-BR", Heard(Meaning.START, language="pt")),
        ("ajuda", "pt-BR", Heard(Meaning.HELP, language="pt")),
        ("CANCELAR", "pt-BR", Heard(Meaning.STOP, language="pt")),
        ("CANCELAR", "es-MX", Heard(Meaning.STOP, language="es")),
        ("STOP", "pt-BR", Heard(Meaning.STOP, language="en")),
        ("yes please", "en", Heard(None, Meaning.START)),
        # A yes in a language that nobody speaks here suggests nothing.
        ("sim, obrigado", "en", Heard(None, None)),
    ],
)
def test_the_language_decides_what_a_word_is(text: str, language: str, heard: Heard) -> None:
    assert hear(text, language) == heard


def test_no_word_both_stops_and_starts() -> None:
    def of(table: dict[str, tuple[str, ...]]) -> set[str]:
        return {word for words in table.values() for word in words}

    assert not of(STOP) & (of(START) | of(HELP))
    assert not of(START) & of(HELP)
    assert all(hear(word).meaning is not None for table in (STOP, START, HELP) for word in of(table))


def test_a_long_text_is_not_read_to_its_end() -> None:
    assert hear("x " * 100_000 + "STOP") == Heard(None, None)
