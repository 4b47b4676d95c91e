"""Words by which people stop or start messages from a telephone, by language; anything else is for a person to read.

A keyword counts only when it is all that was said: "STOP", "stop.", "PARAR". With other words around it a message may
mean the contrary ("please don't stop"), so it is handed on with a suggestion and changes nothing by itself.

No door takes replies yet; the one that comes to is to ask here.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Heard:
    """`meaning` is what to do at once; `suggestion` what a person may want to do who reads the message."""

    meaning: Meaning | None
    suggestion: Meaning | None = None
    language: str = ""


# Folded: capitals, without accents. STOP and its kin are understood whatever language somebody speaks.
STOP: Final[dict[str, tuple[str, ...]]] = {
    "en": ("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT"),
    "pt": ("PARAR", "PARE", "SAIR", "CANCELAR", "CANCELA", "DESCADASTRAR", "REMOVER", "PARAR TUDO", "SAIR DA LISTA"),
    "es": ("ALTO", "BAJA", "DETENER", "CANCELAR", "SALIR"),
    "fr": ("ARRET", "ARRETER", "DESABONNER", "DESABONNEMENT", "DESINSCRIRE"),
    "de": ("STOPP", "ABMELDEN", "ABBESTELLEN"),
    "it": ("FERMA", "BASTA", "ANNULLA"),
}
START: Final[dict[str, tuple[str, ...]]] = {
    "en": ("START", "UNSTOP", "YES", "SUBSCRIBE"),
    "pt": ("COMECAR", "INICIAR", "VOLTAR", "SIM"),
    "es": ("INICIAR", "COMENZAR", "ALTA", "SI"),
    "fr": ("REPRENDRE", "OUI"),
}
HELP: Final[dict[str, tuple[str, ...]]] = {
    "en": ("HELP", "INFO"),
    "pt": ("AJUDA",),
    "es": ("AYUDA",),
    "fr": ("AIDE",),
    "de": ("HILFE",),
}
_TABLES: Final = ((Meaning.STOP, STOP), (Meaning.START, START), (Meaning.HELP, HELP))
# Longer texts are letters, and no keyword is looked for in them but the plainest.
_LONGEST: Final = 1_600
_WORDS: Final = re.compile(r"[^\W_]+")


def hear(text: str, language: str = "") -> Heard:
    """What a text that came in means. `language` (as in pt-BR) decides where a word means something in several."""
    words = _WORDS.findall(_folded(text[:_LONGEST]))
    said = " ".join(words)
    preferred = language.partition("-")[0].lower()
    for meaning, table in _TABLES:
        spoken = _spoken(said, table, preferred)
        if spoken:
            return Heard(meaning, language=spoken)
    return Heard(None, _suggested(words, preferred))


def _spoken(said: str, table: dict[str, tuple[str, ...]], preferred: str) -> str:
    """In which language the keyword is one, the preferred first; empty where it is none."""
    for language in sorted(table, key=lambda one: one != preferred):
        if said in table[language]:
            return language
    return ""


def _suggested(words: list[str], preferred: str) -> Meaning | None:
    """To stop is suggested for any word of it; the others only where the reader's own language has it."""
    if any(word in keywords for word in words for keywords in STOP.values()):
        return Meaning.STOP
    own = {meaning: table.get(preferred, ()) for meaning, table in _TABLES}
    return next((meaning for meaning, keywords in own.items() if any(word in keywords for word in words)), None)


def _folded(text: str) -> str:
    """Capitals without accents or marks; full-width and other letters as their plain ones."""
    plain = unicodedata.normalize("NFKD", text).upper()
    return "".join(letter for letter in plain if not unicodedata.combining(letter) and not _joins(letter))


def _joins(letter: str) -> bool:
    """Invisible: zero-width, bidirectional, variation selectors of an emoji."""
    return unicodedata.category(letter) == "Cf"
